import { create, type Message } from "@bufbuild/protobuf";
import { AgentService, DeleteAgentsRequestSchema, ListAgentsResponseSchema } from "@remit/proto/admin";
import { expect, test } from "vitest";
import type { AdminCall } from "../../decisions/index.ts";
import { Fault } from "../../foundation/fault.ts";
import { silentLog } from "../../foundation/log.ts";
import type { Caller } from "../../identities/index.ts";
import type { Call } from "../call.ts";
import { type Rpcs, serve } from "../lanes/served.ts";
import { createGate } from "./gate.ts";

const operator: Caller = {
  ...{ id: "1", tenant: "acme", name: "op", roles: ["operator"], agents: [], mayAssertPrincipals: false },
  ...{ revoked: false, createdAtMs: 0 },
};
const call = { authorization: "Bearer x", traceparent: undefined } as unknown as Call;
const away = () => new Fault("unavailable", "ledger_unavailable", "away");

interface World {
  /** What each look at who calls finds, in turn; the last one stands. */
  readonly callers?: readonly (Caller | Fault)[];
  /** What becomes of each entry, in turn; the last one stands. */
  readonly records?: readonly ("recorded" | "moved" | Fault)[];
  readonly rpcs?: Rpcs<typeof AgentService>;
}

/** A gate before one service, and what it was told. */
function behind({ callers = [operator], records = ["recorded"], rpcs = {} }: World) {
  const told: AdminCall[] = [];
  const strangers: string[] = [];
  let looks = 0;
  const next = <Item>(items: readonly Item[], at: number): Item => items[Math.min(at, items.length - 1)] as Item;
  const gate = createGate({
    identities: {
      authenticate: async () => {
        const found = next(callers, looks++);
        if (found instanceof Fault) throw found;
        return found;
      },
    } as never,
    admission: { admitAdmin: () => {} } as never,
    meter: { adminStranger: (reason) => strangers.push(reason), shed: () => {} },
    log: silentLog,
    recordCall: async (_by, one) => {
      told.push(one);
      const became = next(records, told.length - 1);
      if (became instanceof Fault) throw became;
      return became;
    },
  });
  const served = gate(serve(AgentService, rpcs));
  const ask = (name: string, request: Message) => {
    const rpc = served.rpcs.find(({ method }) => method.name === name);
    if (rpc?.kind !== "unary") throw new Error(`there is no ${name}`);
    return rpc.run(request, call);
  };
  return { ask, told, strangers };
}

const listed = create(ListAgentsResponseSchema, { agents: [] });
const listAgents = async () => listed;
const noAgents = create(DeleteAgentsRequestSchema, { names: ["a"] });
const revoked = new Fault("unauthenticated", "token_invalid", "revoked");

test("a read is answered once it is recorded", async () => {
  const { ask, told } = behind({ rpcs: { listAgents } });
  expect(await ask("ListAgents", noAgents)).toBe(listed);
  expect(told).toMatchObject([{ method: "remit.v1.AgentService/ListAgents", outcome: "ok" }]);
});

test("what cannot be recorded is not answered: a read, and a refusal", async () => {
  const read = behind({ rpcs: { listAgents }, records: [away()] });
  await expect(read.ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "ledger_unavailable" });
  const refused = behind({ callers: [{ ...operator, roles: [] }], records: [away()] });
  await expect(refused.ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "ledger_unavailable" });
});

test("while the tenant's security moves, who calls is found out anew: a key that was revoked reads nothing", async () => {
  const still = behind({ rpcs: { listAgents }, records: ["moved", "recorded"] });
  expect(await still.ask("ListAgents", noAgents)).toBe(listed);
  expect(still.told).toHaveLength(2);
  const gone = behind({ rpcs: { listAgents }, records: ["moved"], callers: [operator, operator, revoked] });
  await expect(gone.ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "token_invalid" });
  const lessened = behind({
    ...{ rpcs: { listAgents }, records: ["moved"] },
    callers: [operator, operator, { ...operator, roles: [] }],
  });
  await expect(lessened.ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "role_missing" });
});

test("a security that never rests leaves the read unanswered", async () => {
  const { ask } = behind({ rpcs: { listAgents }, records: ["moved"] });
  await expect(ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "ledger_unavailable" });
});

test("a caller without the role runs nothing, and is told of", async () => {
  let ran = false;
  const deleteAgents = async () => {
    ran = true;
    throw new Error("it must not run");
  };
  const { ask, told } = behind({ rpcs: { deleteAgents }, callers: [{ ...operator, roles: ["viewer"] }] });
  await expect(ask("DeleteAgents", noAgents)).rejects.toMatchObject({ reason: "role_missing" });
  expect(ran).toBe(false);
  expect(told).toMatchObject([{ outcome: "role_missing", about: { names: ["a"] } }]);
});

test("a change has told of itself, and is answered even where a second entry elsewhere fails", async () => {
  const changing = (tenant: string): Rpcs<typeof AgentService> => ({
    async deleteAgents(_request, { actor }) {
      actor?.asked.told.add(tenant);
      return { $typeName: "remit.v1.DeleteAgentsResponse", revision: 7n };
    },
  });
  const own = behind({ rpcs: changing("acme") });
  expect(await own.ask("DeleteAgents", noAgents)).toMatchObject({ revision: 7n });
  expect(own.told).toEqual([]);
  const others = behind({ rpcs: changing("globex"), records: [away()] });
  expect(await others.ask("DeleteAgents", noAgents)).toMatchObject({ revision: 7n });
  expect(others.told).toHaveLength(1);
});

test("nobody is counted, and leaves no entry", async () => {
  const { ask, told, strangers } = behind({ callers: [revoked] });
  await expect(ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "token_invalid" });
  expect({ told, strangers }).toEqual({ told: [], strangers: ["token_invalid"] });
});

test("what is not served is told as such", async () => {
  const { ask, told } = behind({});
  await expect(ask("ListAgents", noAgents)).rejects.toMatchObject({ reason: "not_served" });
  expect(told).toMatchObject([{ outcome: "not_served" }]);
});
