import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ExchangeRequestSchema } from "@remit/proto/decision";
import { CloseSessionRequestSchema, OpenSessionRequestSchema, SessionService } from "@remit/proto/session";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { type Case, many } from "./catalogue.ts";
import { type Calls, callersOf, enveloped, grpcHeaders } from "./crowd.ts";
import { AGENT, type House, openHouse } from "./house.ts";
import { prepareWith, settle } from "./turns.ts";

const MANY = 4_096;
/** What is asked before anything is measured: one after another, so that this is the first of many together. */
const ROUNDS = 50;

const opening = create(OpenSessionRequestSchema, {
  ...{ agent: AGENT, purpose: "pays what is due", maxLifetimeSeconds: 3_600, labels: { run: "nightly" } },
  scope: {
    tools: ["invoices.*", "payments.transfer"],
    bounds: [{ tool: "payments.transfer", path: "input.amount", limit: { case: "max", value: 500 } }],
  },
});
const openingBytes = enveloped(toBinary(OpenSessionRequestSchema, opening));

/** Sessions that were opened by the owner, of the ids that `id` makes of a number from 1 on. */
const sessionsOf = (id: string, from: number, to: number, above: { readonly parent?: string } = {}) =>
  `insert into session (id, tenant, agent, principal_id, principal_verified, opened_at, expires_at, opened_by, parent, depth)
    select ${id}, c.tenant, '${AGENT}', 'mia', true, now(), now() + interval '1 hour', c.id,
        ${above.parent ? `'${above.parent}', 1` : "null, 0"}
      from caller c, generate_series(${from}, ${to}) i where c.kind = 'key' and 'owner' = any (c.roles)`;

const idAt = (at: number) => `01900000-0000-7000-8000-${at.toString(16).padStart(12, "0")}`;
const ID = "('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid";

const calls = ({ pdp, key }: House, rpc: string, bodies: readonly Uint8Array[]): Calls => ({
  ...{ address: `http://${pdp.grpcAddress}`, count: bodies.length, path: `/remit.v1.SessionService/${rpc}` },
  ...{ headers: { ...grpcHeaders, authorization: `Bearer ${key}` }, body: new Uint8Array(), bodies, open: false },
});

/** Calls of one RPC that all come together, over connections that are there. */
const together = (
  name: string,
  rpc: string,
  bodies: readonly Uint8Array[],
  ready: (house: House) => Promise<unknown>,
) => ({
  name: `sessions: ${name}, over gRPC`,
  make: () => {
    const callers = callersOf();
    let house: House | undefined;
    let asked: Calls | undefined;
    return prepareWith(
      async () => {
        house = await openHouse();
        await ready(house);
        asked = calls(house, rpc, bodies);
        callers.do({ ready: asked });
        await callers.ready;
      },
      async () => {
        if (asked) callers.do({ together: asked });
        const answered = await callers.ended;
        if (answered["0"] === undefined) throw new Error(`${name}: ${JSON.stringify(answered)}`);
      },
      async () => {
        await callers.leave();
        await house?.close();
      },
    );
  },
});

/** On the lane that is measured: what runs there for the first time is slower than what many together are. */
const asking = ({ pdp, key }: House) => ({
  client: createClient(SessionService, createGrpcTransport({ baseUrl: `http://${pdp.grpcAddress}` })),
  by: { headers: { authorization: `Bearer ${key}` } },
});

const openSome = async (house: House) => {
  const { client, by } = asking(house);
  for (let round = 0; round < ROUNDS; round++) await client.openSession(opening, by);
};

const closeSome = async (house: House) => {
  const { client, by } = asking(house);
  await house.tell(sessionsOf(ID, 1, MANY + ROUNDS));
  for (let round = 0; round < ROUNDS; round++) await client.closeSession({ sessionId: idAt(MANY + 1 + round) }, by);
};

const closing = (at: number) =>
  enveloped(toBinary(CloseSessionRequestSchema, create(CloseSessionRequestSchema, { sessionId: idAt(at + 1) })));

const BELOW = limits.delegationsClosedMax;
const STREAMS = 40;
const ROOT = idAt(0);
const below = (at: number) => idAt(1 + at);

/** As many tokens as sessions, a few asked for at a time. */
async function tokensOf({ clients }: House): Promise<readonly string[]> {
  const tokens: string[] = [];
  let next = 0;
  const renewing = async () => {
    for (let at = next++; at < BELOW; at = next++) {
      tokens[at] = (await clients.session.renewSession({ sessionId: below(at) })).token;
    }
  };
  await Promise.all(many(8, renewing));
  return tokens;
}

const attaching = (tokens: readonly string[]) =>
  Buffer.concat(
    tokens.map((sessionToken, at) => {
      const body = { case: "attach", value: { sessionToken } } as const;
      const frame = create(ExchangeRequestSchema, { frame: BigInt(at + 1), body });
      return enveloped(toBinary(ExchangeRequestSchema, frame));
    }),
  );

const turnsFor = async (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
};

const handlesOf = async ({ pdp }: House) => {
  const page = await (await fetch(`http://${pdp.metricsAddress}/metrics`)).text();
  return Number(/^remit_stream_handles (\d+)/m.exec(page)?.[1]);
};

/** How long after it was answered there may be news of it, and notices. */
const NEWS_MS = 1_500;

/** One session ends that all others are below, each of them attached to a stream. */
const endingAll = (name: string, end: (house: House, sessionId: string) => Promise<unknown>): Case => ({
  name: `sessions: one is ${name} that ${BELOW} are below, each on a stream`,
  make: () => {
    const callers = callersOf();
    let house: House | undefined;
    return prepareWith(
      async (pause) => {
        house = await openHouse();
        const [from, to] = [1, BELOW];
        await house.tell(sessionsOf(ID, 0, 0));
        await house.tell(sessionsOf(ID, from, to, { parent: ROOT }));
        await house.tell(sessionsOf(ID, to + 1, to + ROUNDS));
        for (let round = 0; round < ROUNDS; round++) await end(house, idAt(to + 1 + round));
        const tokens = await tokensOf(house);
        const each = BELOW / STREAMS;
        const bodies = many(STREAMS, (at) => attaching(tokens.slice(at * each, (at + 1) * each)));
        const stream = { path: "/remit.v1.DecisionService/Exchange", open: true };
        // One after another: so many sessions are read at leisure.
        for (const [at, body] of bodies.entries()) {
          callers.do({ ...calls(house, "Exchange", [body]), ...stream });
          while ((await handlesOf(house)) < (at + 1) * each) await pause();
        }
        await settle(pause);
      },
      async () => {
        if (house) await end(house, ROOT);
        await turnsFor(NEWS_MS);
        const open = await house?.tell(`select from session where id = '${ROOT}' and state = 'open'`);
        if (open?.rowCount !== 0) throw new Error(`${name}: it is open`);
      },
      async () => {
        await callers.leave();
        await house?.close();
      },
    );
  },
});

const closingAll = endingAll("closed", ({ clients }, sessionId) => clients.session.closeSession({ sessionId }));
const revokingAll = endingAll("revoked", ({ clients }, value) =>
  clients.revocation.revoke({ subject: { subject: { case: "session", value } }, reason: "it went wrong" }),
);

/** Sessions that begin and end by thousands, through the whole service. */
export const sessions: readonly Case[] = [
  together(
    `${MANY} are opened at one moment`,
    "OpenSession",
    many(MANY, () => openingBytes),
    openSome,
  ),
  together(`${MANY} are closed at one moment`, "CloseSession", many(MANY, closing), closeSome),
  closingAll,
  revokingAll,
];
