import { expect, test } from "vitest";
import type { Caller, Identities } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { createSessions, type Opening } from "./sessions.ts";

const caller: Partial<Caller> = { id: "c", tenant: "t", roles: ["owner"], agents: [], mayAssertPrincipals: true };
const opening: Partial<Opening> = {
  agent: "clerk",
  runId: "run",
  lifetimeSeconds: 60,
  labels: {},
  details: {},
  budgets: [],
};

test("a run that somebody else opened and that is not to be found is asked for again", async () => {
  const agents = new Map([["clerk", { spec: { status: "active" } }]]);
  const rooms = {
    identities: { sessionByRun: async () => null } as Partial<Identities> as Identities,
    snapshots: {
      latest: async () => ({ agents, settings: { status: "active" }, revoked: {} }),
    } as unknown as Snapshots,
    change: async () => ({ ok: false, refusal: "exists" }) as never,
    books: { balances: async () => [] },
    clock: { now: () => 0 },
    newId: () => "id",
  };
  const opened = createSessions(rooms).open(caller as Caller, opening as Opening);
  await expect(opened).rejects.toMatchObject({ kind: "aborted", reason: "session_raced" });
});
