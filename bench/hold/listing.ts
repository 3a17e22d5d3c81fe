import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ListAdminCallsRequestSchema, ListDecisionsRequestSchema } from "@remit/proto/admin";
import { Effect } from "@remit/proto/common";
import { type Case, many } from "./catalogue.ts";
import { type Calls, callersOf, connectHeaders } from "./crowd.ts";
import { AGENT, type House, openHouse } from "./house.ts";
import { collectEverything, prepareWith } from "./turns.ts";

const RECORDS = 100_000;
const LONG_RECORDS = 150;
const LONG_TEXT = "x".repeat(240_000);
const ROLLOUT = "01900000-0000-7000-8000-0000000000aa";

/** As much as an entry says of a call that is allowed, or of one of the admin plane. */
const bodies = {
  decision: {
    ...{ agent: { id: AGENT }, tool: "pay", effect: "deny", reason: { code: "tool_unknown", message: "m" } },
    ...{ call: { id: "call" }, caller: { id: "c" }, input: { text: "t".repeat(700) } },
  },
  admin: { caller: { id: "c", name: "owner" }, method: "remit.v1.CallerService/ListCallers", outcome: "ok" },
};

/** So many records as the newest of a kind, but in plain, each a millisecond later. */
const copies = (kind: "decision" | "admin") => `insert into record
    (day, writer, n, ord, id, tenant, session, kind, digest, body)
  select r.day, 1000000, i, i, (lpad(to_hex((extract(epoch from now()) * 1000)::bigint + i), 12, '0') || '7000'
      || '8000' || lpad(to_hex(i), 12, '0'))::uuid, r.tenant, r.session, r.kind, r.digest, convert_to($$${JSON.stringify(bodies[kind])}$$, 'UTF8')
    from (select * from record where kind = '${kind}' order by id desc limit 1) r, generate_series(1, ${RECORDS}) i`;

interface Asked {
  readonly rpc: "ListDecisions" | "ListAdminCalls";
  readonly bodies: readonly Uint8Array[];
}

const since = timestampFromMs(0);
const listDecisions = (all: readonly object[]): Asked => ({
  rpc: "ListDecisions",
  bodies: all.map((one) => toBinary(ListDecisionsRequestSchema, create(ListDecisionsRequestSchema, { since, ...one }))),
});
const listAdminCalls = (all: readonly object[]): Asked => ({
  rpc: "ListAdminCalls",
  bodies: all.map((one) =>
    toBinary(ListAdminCallsRequestSchema, create(ListAdminCallsRequestSchema, { since, ...one })),
  ),
});

const calls = ({ pdp, key }: House, { rpc, bodies }: Asked): Calls => ({
  ...{ address: `http://${pdp.adminAddress}`, count: bodies.length, path: `/remit.v1.LedgerService/${rpc}` },
  ...{ headers: { ...connectHeaders, authorization: `Bearer ${key}` }, body: new Uint8Array(), bodies, open: false },
});

/** Has calls decided, each of which is denied for its tool that nobody knows. */
async function decide({ clients }: House, count: number, text: string): Promise<void> {
  const { token } = await clients.session.openSession({ agent: AGENT });
  const headers = { "remit-session": token };
  const inputJson = new TextEncoder().encode(JSON.stringify({ text }));
  for (let at = 0; at < count; at++) {
    const call = { callId: `c${at}`, tool: "pay", input: { case: "inputJson", value: inputJson } } as const;
    await clients.decision.decide(call, { headers });
  }
}

const listed = (name: string, asked: Asked, fill: (house: House) => Promise<unknown>): Case => ({
  name: `ledger: ${name}`,
  make: () => {
    const callers = callersOf();
    let house: House | undefined;
    let wanted: Calls | undefined;
    return prepareWith(
      async () => {
        house = await openHouse();
        await fill(house);
        await house.tell("analyze");
        wanted = calls(house, asked);
        callers.do({ ready: wanted });
        await callers.ready;
      },
      async () => {
        if (wanted) callers.do({ together: wanted });
        const answered = await callers.ended;
        if (answered["200"] !== asked.bodies.length) throw new Error(`${name}: ${JSON.stringify(answered)}`);
      },
      async () => {
        await callers.leave();
        await house?.close();
      },
    );
  },
});

const filters = [
  {},
  { agent: "another" },
  { tool: "another" },
  { effect: Effect.ALLOW },
  { would: Effect.ALLOW },
  { sessionId: ROLLOUT },
  { rolloutId: ROLLOUT },
  { differs: true },
];
const callFilters = [{}, { method: "Another" }, { callerId: ROLLOUT }, { outcome: "another" }, { changesOnly: true }];

const manyDecisions = async (house: House) => {
  await decide(house, 20, "t".repeat(700));
  await house.tell(copies("decision"));
};
const manyCalls = async (house: House) => {
  for (const name of many(20, (at) => `key-${at}`)) await house.clients.caller.createKey({ name, agents: [AGENT] });
  await house.tell(copies("admin"));
};
/** Long before they are listed: what the calls left behind has gone. */
const manyLong = async (house: House) => {
  await decide(house, LONG_RECORDS, LONG_TEXT);
  await collectEverything();
};
const sealed = async (house: House) => {
  await house.clients.key.enableSealing({});
  await manyLong(house);
};

/** What stands in the ledger, asked for through the whole service. */
export const listing: readonly Case[] = [
  listed(`of ${RECORDS} decisions a page by each filter, all at one moment`, listDecisions(filters), manyDecisions),
  listed(
    `of ${RECORDS} calls of the admin plane a page by each filter, all at one moment`,
    listAdminCalls(callFilters),
    manyCalls,
  ),
  listed(`a page of ${LONG_RECORDS} decisions of 240 KB`, listDecisions([{}]), manyLong),
  listed(`a page of ${LONG_RECORDS} decisions of 240 KB that are sealed`, listDecisions([{}]), sealed),
  listed(
    `${LONG_RECORDS} decisions of 240 KB that are sealed, none of which is asked for`,
    listDecisions([{ tool: "another" }]),
    sealed,
  ),
];
