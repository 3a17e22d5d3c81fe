import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DelegateRequest, type OpenSessionRequest, Session_State, type SessionSchema } from "@remit/proto/session";
import type { Balance } from "../../budgets/index.ts";
import type { Delegation, Opening, SeenSession } from "../../decisions/index.ts";
import { type Amount, formatAmount } from "../../foundation/amount.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { type Session, stateAt } from "../../identities/index.ts";
import { amountsField, boundedList, labelsField, storedName, storedText } from "./fields.ts";
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

/** Checks the form of an opening. */
export function openingFrom(request: OpenSessionRequest): Opening {
  const { runId } = request;
  const named = boundedList(request.budgets, "budgets", limits.sessionBudgetsMax);
  const budgets = [...new Set(named.map((name, at) => storedName(name, `budgets[${at}]`, limits.nameBytesMax)))];
  return {
    agent: storedName(request.agent, "agent", limits.nameBytesMax),
    principal: principalFrom(request),
    purpose: storedText(request.purpose, "purpose", limits.purposeBytesMax),
    scope: request.scope && scopeFrom(request.scope),
    lifetimeSeconds: request.maxLifetimeSeconds,
    runId: runId === "" ? undefined : storedText(runId, "run_id", limits.nameBytesMax),
    labels: labelsField(request.labels, "labels"),
    budgets,
    details: { ...detailsFrom(request), ...(budgets.length > 0 && { budgets: budgets.join(" ") }) },
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
    budget: budgetFrom(request),
  };
}

function budgetFrom(request: DelegateRequest): Amount[] {
  const budget = amountsField(request.budget, "budget");
  const parts = budget.findIndex(({ unit, micros }) => unit === "calls" && micros % 1_000_000n !== 0n);
  if (parts < 0) return budget;
  throw invalid(`budget[${parts}].value`, "calls are counted whole", { fix: 'write a whole number such as "3"' });
}

const STATES = {
  open: Session_State.OPEN,
  closed: Session_State.CLOSED,
  revoked: Session_State.REVOKED,
  expired: Session_State.EXPIRED,
} as const;

/** What a session was given, and what is left of that. */
function budgetsToWire({ given = [] }: Pick<Session, "given">, balances: readonly Balance[]) {
  return given.flatMap(({ account, unit, limit }) => {
    const books = balances.find((one) => one.account === account);
    if (!books) return [];
    const amount = (micros: bigint) => ({ unit, value: formatAmount(micros) });
    const spent = books.posted + books.overage;
    const left = limit - spent - books.held;
    return [
      {
        ...{ limit: amount(limit), spent: amount(spent), held: amount(books.held) },
        ...{ left: amount(left > 0n ? left : 0n), frozen: books.frozen },
      },
    ];
  });
}

export function sessionToWire(
  { session, balances }: SeenSession,
  nowMs: number,
): MessageInitShape<typeof SessionSchema> {
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
    given: budgetsToWire(session, balances),
    budgets: session.details.budgets?.split(" ") ?? [],
    chain: ancestors.map((link) => ({
      sessionId: link.id,
      agent: link.agent,
      ...(link.scope && { scope: scopeToWire(link.scope) }),
      state: link.state === "open" && nowMs >= link.expiresAtMs ? STATES.expired : STATES[link.state],
      expiresAt: timestampFromMs(link.expiresAtMs),
    })),
  };
}
