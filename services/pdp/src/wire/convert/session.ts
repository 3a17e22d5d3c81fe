import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DelegateRequest, type OpenSessionRequest, Session_State, type SessionSchema } from "@remit/proto/session";
import type { Delegation, Opening } from "../../decisions/index.ts";
import { Fault, invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { type Session, stateAt } from "../../identities/index.ts";
import { labelsField, storedName, storedText } from "./fields.ts";
import { scopeFrom, scopeToWire } from "./scope.ts";

function principalFrom({ onBehalfOf }: OpenSessionRequest): Opening["principal"] {
  if (onBehalfOf.case === "subjectToken") return { token: onBehalfOf.value };
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
  const { runId } = request;
  return {
    agent: storedName(request.agent, "agent", limits.nameBytesMax),
    principal: principalFrom(request),
    purpose: storedText(request.purpose, "purpose", limits.purposeBytesMax),
    scope: request.scope && scopeFrom(request.scope),
    lifetimeSeconds: request.maxLifetimeSeconds,
    runId: runId === "" ? undefined : storedText(runId, "run_id", limits.nameBytesMax),
    labels: labelsField(request.labels, "labels"),
    details: detailsFrom(request),
  };
}

/** What a caller says of a run, for the record. */
function detailsFrom(
  request: Pick<OpenSessionRequest, "agentVersion" | "model" | "promptDigest" | "framework">,
): Readonly<Record<string, string>> {
  const { agentVersion, model, promptDigest, framework } = request;
  const details = { agent_version: agentVersion, model, prompt_digest: promptDigest, framework };
  const given = Object.entries(details).filter(([, value]) => value !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, storedText(value, name, limits.labelBytesMax)]));
}

/** Checks the form of a delegation. */
export function delegationFrom(request: DelegateRequest): Delegation {
  if (request.budget.length > 0) {
    throw new Fault("unimplemented", "not_supported", "delegations cannot draw from budgets yet", {
      field: "budget",
      fix: "leave the budget out",
    });
  }
  const { scope, runId } = request;
  if (!scope) {
    throw invalid("scope", "a delegation names what it hands over", { fix: "send a scope, at most the session's own" });
  }
  return {
    agent: storedName(request.agent, "agent", limits.nameBytesMax),
    scope: scopeFrom(scope),
    purpose: storedText(request.purpose, "purpose", limits.purposeBytesMax),
    labels: labelsField(request.labels, "labels"),
    runId: runId === "" ? undefined : storedText(runId, "run_id", limits.nameBytesMax),
    lifetimeSeconds: request.maxLifetimeSeconds,
    details: detailsFrom(request),
  };
}

const STATES = {
  open: Session_State.OPEN,
  closed: Session_State.CLOSED,
  revoked: Session_State.REVOKED,
  expired: Session_State.EXPIRED,
} as const;

export function sessionToWire(session: Session, nowMs: number): MessageInitShape<typeof SessionSchema> {
  const { id, agent, principal, purpose, scope, labels, runId, parent, depth, ancestors } = session;
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
    chain: ancestors.map((link) => ({
      sessionId: link.id,
      agent: link.agent,
      ...(link.scope && { scope: scopeToWire(link.scope) }),
      state: link.state === "open" && nowMs >= link.expiresAtMs ? STATES.expired : STATES[link.state],
      expiresAt: timestampFromMs(link.expiresAtMs),
    })),
  };
}
