import { create, toBinary } from "@bufbuild/protobuf";
import { CloseSessionRequestSchema, OpenSessionRequestSchema } from "@remit/proto/session";
import { type Case, many } from "./catalogue.ts";
import { type Calls, callersOf, enveloped, grpcHeaders } from "./crowd.ts";
import { AGENT, type House, openHouse } from "./house.ts";
import { prepareWith } from "./turns.ts";

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
const sessionsOf = (id: string, from: number, to: number, more = "") =>
  `insert into session (id, tenant, agent, principal_id, principal_verified, opened_at, expires_at, opened_by${more && ", parent, depth"})
    select ${id}, c.tenant, '${AGENT}', 'mia', true, now(), now() + interval '1 hour', c.id${more}
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

const openSome = async ({ clients }: House) => {
  for (let round = 0; round < ROUNDS; round++) await clients.session.openSession(opening);
};

const closeSome = async ({ clients, tell }: House) => {
  await tell(sessionsOf(ID, 1, MANY + ROUNDS));
  for (let round = 0; round < ROUNDS; round++)
    await clients.session.closeSession({ sessionId: idAt(MANY + 1 + round) });
};

const closing = (at: number) =>
  enveloped(toBinary(CloseSessionRequestSchema, create(CloseSessionRequestSchema, { sessionId: idAt(at + 1) })));

/** Sessions that begin and end by thousands, through the whole service. */
export const sessions: readonly Case[] = [
  together(
    `${MANY} are opened at one moment`,
    "OpenSession",
    many(MANY, () => openingBytes),
    openSome,
  ),
  together(`${MANY} are closed at one moment`, "CloseSession", many(MANY, closing), closeSome),
];
