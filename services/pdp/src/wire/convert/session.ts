import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Bound, Scope } from "@remit/engine";
import type { ScopeSchema, Bound as WireBound, Scope as WireScope } from "@remit/proto/common";
import { type OpenSessionRequest, Session_State, type SessionSchema } from "@remit/proto/session";
import type { Opening } from "../../decisions/index.ts";
import { rfc3339 } from "../../foundation/clock.ts";
import { Fault, invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { type Session, stateAt } from "../../identities/index.ts";
import { boundedList, labelsField, storedName, storedText, timeField } from "./fields.ts";

const members = (values: readonly string[], field: string) =>
  boundedList(values, field, limits.scopeEntriesMax).map((value) => storedText(value, field, limits.labelBytesMax));

function boundFrom(bound: WireBound, field: string): Bound {
  const tool = storedName(bound.tool, `${field}.tool`, limits.toolNameBytesMax);
  const path = storedName(bound.path, `${field}.path`, limits.nameBytesMax);
  if (!/^input(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(path)) {
    throw invalid(`${field}.path`, `${field}.path must lead into the input`, { fix: "write it like input.amount" });
  }
  const { limit } = bound;
  switch (limit.case) {
    case "max":
    case "min":
      if (!Number.isFinite(limit.value)) throw invalid(`${field}.${limit.case}`, `${field} must be a finite number`);
      return { tool, path, [limit.case]: limit.value };
    case "in":
      return { tool, path, in: members(limit.value.values, `${field}.in`) };
    case "prefix":
      return { tool, path, prefix: storedName(limit.value, `${field}.prefix`, limits.labelBytesMax) };
    case "equals":
      return { tool, path, equals: storedText(limit.value, `${field}.equals`, limits.labelBytesMax) };
    default:
      throw invalid(field, `${field} sets no limit`, { fix: "set one of max, min, in, prefix, equals" });
  }
}

/** A scope as it was asked for. An empty list of tools grants nothing, and is said to be a mistake. */
function scopeFrom(scope: WireScope): Scope {
  if (scope.tools.length === 0) {
    throw invalid("scope.tools", "the scope grants no tool", { fix: 'name tools or globs; ["*"] is every tool' });
  }
  const tools = boundedList(scope.tools, "scope.tools", limits.scopeEntriesMax);
  const bounds = boundedList(scope.bounds, "scope.bounds", limits.scopeEntriesMax);
  if (scope.maxDepth > limits.delegationDepthMax) {
    throw invalid("scope.max_depth", "the scope allows too many delegations", {
      limit: `${limits.delegationDepthMax}`,
    });
  }
  return {
    tools: tools.map((glob) => storedName(glob, "scope.tools", limits.toolNameBytesMax)),
    bounds: bounds.map((bound, at) => boundFrom(bound, `scope.bounds[${at}]`)),
    labels: labelsField(scope.labels, "scope.labels"),
    maxDepth: scope.maxDepth,
    ...(scope.expiresAt && { expiresAt: rfc3339(timeField(scope.expiresAt, "scope.expires_at")) }),
  };
}

function boundToWire(bound: Bound): NonNullable<MessageInitShape<typeof ScopeSchema>["bounds"]>[number] {
  const { tool, path, max, min, in: values, prefix, equals } = bound;
  if (max !== undefined) return { tool, path, limit: { case: "max", value: max } };
  if (min !== undefined) return { tool, path, limit: { case: "min", value: min } };
  if (values !== undefined) return { tool, path, limit: { case: "in", value: { values: values.map(String) } } };
  if (prefix !== undefined) return { tool, path, limit: { case: "prefix", value: prefix } };
  return { tool, path, limit: { case: "equals", value: String(equals) } };
}

export function scopeToWire(scope: Scope): MessageInitShape<typeof ScopeSchema> {
  return {
    tools: [...scope.tools],
    bounds: (scope.bounds ?? []).map(boundToWire),
    labels: { ...scope.labels },
    maxDepth: scope.maxDepth ?? 0,
    ...(scope.expiresAt && { expiresAt: timestampFromMs(Date.parse(scope.expiresAt)) }),
  };
}

function principalFrom({ onBehalfOf }: OpenSessionRequest): Opening["principal"] {
  if (onBehalfOf.case === "subjectToken") {
    throw new Fault("unauthenticated", "token_invalid", "no issuer of subject tokens is configured", {
      field: "subject_token",
      fix: "assert the principal with a caller that is bound to do so",
    });
  }
  if (onBehalfOf.case === undefined) return undefined;
  const { id, labels } = onBehalfOf.value;
  return {
    id: storedName(id, "principal.id", limits.nameBytesMax),
    labels: labelsField(labels, "principal.labels"),
  };
}

/** Checks the form of an opening. Fields that nothing honours yet are refused, not ignored. */
export function openingFrom(request: OpenSessionRequest): Opening {
  if (request.budgets.length > 0) {
    throw new Fault("unimplemented", "not_supported", "sessions cannot draw from budgets yet", { field: "budgets" });
  }
  const { agentVersion, model, promptDigest, framework, runId } = request;
  const details = { agent_version: agentVersion, model, prompt_digest: promptDigest, framework };
  const given = Object.entries(details).filter(([, value]) => value !== "");
  return {
    agent: storedName(request.agent, "agent", limits.nameBytesMax),
    principal: principalFrom(request),
    purpose: storedText(request.purpose, "purpose", limits.purposeBytesMax),
    scope: request.scope && scopeFrom(request.scope),
    lifetimeSeconds: request.maxLifetimeSeconds,
    runId: runId === "" ? undefined : storedText(runId, "run_id", limits.nameBytesMax),
    labels: labelsField(request.labels, "labels"),
    details: Object.fromEntries(given.map(([name, value]) => [name, storedText(value, name, limits.labelBytesMax)])),
  };
}

const STATES = {
  open: Session_State.OPEN,
  closed: Session_State.CLOSED,
  revoked: Session_State.REVOKED,
  expired: Session_State.EXPIRED,
} as const;

export function sessionToWire(session: Session, nowMs: number): MessageInitShape<typeof SessionSchema> {
  const { id, agent, principal, purpose, scope, labels, runId, parent, depth } = session;
  return {
    id,
    agent,
    principal: { ...principal, labels: { ...principal.labels } },
    purpose,
    ...(scope && { scope: scopeToWire(scope) }),
    labels: { ...labels },
    runId: runId ?? "",
    state: STATES[stateAt(session, nowMs)],
    parentId: parent ?? "",
    depth,
    openedAt: timestampFromMs(session.openedAtMs),
    expiresAt: timestampFromMs(session.expiresAtMs),
  };
}
