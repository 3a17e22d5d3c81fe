import type { Facts, Scope } from "../../services/engine/src/index.ts";
import { type Asker, createDecide } from "../../services/pdp/src/decisions/index.ts";
import { strictObject } from "../../services/pdp/src/foundation/strict-json.ts";
import { systemTurnRoom } from "../../services/pdp/src/foundation/turn-room.ts";
import type { Snapshot } from "../../services/pdp/src/policies/snapshot.ts";

/** Of whatever needs one. */
export const ID = "01900000-0000-7000-8000-000000000001";
const everything: Scope = { tools: ["*"] };

/** The agent that asks. */
export const clerk = {
  ...{ apiVersion: "remit/v1", kind: "Agent", metadata: { name: "clerk" } },
  spec: { status: "active", ceiling: everything },
};

/** A session of the clerk with the first of these scopes, below sessions that have the others. */
export const askerUnder = (scopes: readonly Scope[] = []): Asker => {
  const [scope = everything, ...above] = scopes;
  const session = {
    ...{ id: ID, tenant: "t", agent: "clerk", purpose: "", labels: {}, details: {}, state: "open" },
    ...{ principal: { id: "mia", verified: true, labels: {} }, scope, openedAtMs: 0, expiresAtMs: 1e15 },
    ...{ depth: above.length, ancestors: above.map((one) => ({ id: ID, agent: "clerk", scope: one })) },
  };
  return { session, security: 1n, caller: { id: "c", name: "c" } } as unknown as Asker;
};

/** A call of the tool `pay`. */
export const asked = (input: Facts["input"]) =>
  ({
    ...{ callId: "c", tool: "pay", input: strictObject(input, "input"), context: strictObject({}, "context") },
    ...{ answers: strictObject({}, "answers"), estimate: [], schemaDigest: "", approvalId: "" },
    ...{ supportedConstraints: [], wantPermit: false, minRevision: 0n, traceId: "", withinMs: 5_000 },
  }) as never;

/** Decides by whatever is in force, from a call's facts to its record, which nobody stores. */
export const decidingBy = (current: () => Snapshot | undefined) =>
  createDecide({
    snapshots: { current, stalenessMs: () => 0 },
    ledger: { record: async () => ({ outcome: "inserted", ref: { epoch: 1n, n: 1n } }) },
    redaction: { keyed: (_snapshot: unknown, ask: unknown) => ask, of: () => undefined },
    ...{ breakers: { look: () => undefined }, charging: { concerns: () => false, recorded: () => {} } },
    ...{ budgetFacts: () => undefined, clock: { now: () => 1_000 }, newId: () => ID, turns: systemTurnRoom() },
  } as never);
