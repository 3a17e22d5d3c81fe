import { create, toBinary } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { DecideRequestSchema, DecideResponseSchema, ExchangeResponseSchema } from "@remit/proto/decision";
import { createStanding } from "../../services/pdp/src/decisions/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { systemTurnRoom } from "../../services/pdp/src/foundation/turn-room.ts";
import { revokedFrom } from "../../services/pdp/src/policies/revoked.ts";
import { type Attached, createAttached, type NoticeBody } from "../../services/pdp/src/wire/attached.ts";
import { type Audience, createAudience, TELLING_MS_MAX } from "../../services/pdp/src/wire/audience.ts";
import { type Case, compiled, many, rule } from "./catalogue.ts";
import { type Pause, prepareWith, settle } from "./turns.ts";

const link = (at: number) => ({ id: `above-${at}`, agent: "clerk", labels: {}, expiresAtMs: 1e15 });
const sessionAt = (at: number) => ({
  ...{ id: `s${at}`, tenant: "t", agent: "clerk", openedAtMs: 0, security: 1n, expiresAtMs: 1e15 },
  ...{ ancestors: many(8, link), labels: { team: `t${at}` }, principal: { id: "mia", verified: true, labels: {} } },
});

/** So many streams, the sessions of each, and the calls that run on each. */
type Extent = readonly [streams: number, handles: number, calls: number];
const ONE: Extent = [1, limits.handlesPerStreamMax, limits.callsWatchedPerStreamMax];
const ONE_SESSION: Extent = [1, 1, limits.callsWatchedPerStreamMax];
const MANY: Extent = [10, limits.handlesPerStreamMax, 1_000];
/** After so many nobody is told anything more. */
const QUIET_TURNS = 300;
const SMALL: Extent = [10_000, 1, 1];

const standingOf = (held: { readonly revoked: ReturnType<typeof revokedFrom> }) => {
  const known = compiled([rule(0, {})]);
  const agents = new Map([["clerk", { spec: { labels: {}, status: "active" }, metadata: { name: "clerk" } }]]);
  const settings = { status: "active", quotas: {} };
  const revisions = { security: 1n, policy: 1n };
  const snapshot = () => ({ ...held, tenant: "t", agents, settings, revisions, compiled: known, tools: new Map() });
  return createStanding({ snapshots: { held: snapshot } as never, identities: {} as never, clock: { now: () => 1 } });
};

/** Streams with sessions, and calls that run; `rows`: what is revoked of their tenant next. */
const streams = (
  name: string,
  [count, handles, calls]: Extent,
  rows: () => Parameters<typeof revokedFrom>[0],
  does: (audience: Audience, attached: readonly Attached[]) => void,
): Case => ({
  name: `streams: ${name}`,
  make: () => {
    const held = { revoked: revokedFrom([]) };
    const standing = standingOf(held);
    let told = 0;
    // As much as a lane does with each at once.
    const notify = (body: NoticeBody) => {
      const frame = create(ExchangeResponseSchema, { frame: 0n, body: { case: "notice", value: { body } } });
      told += Math.min(1, toBinary(ExchangeResponseSchema, frame).length);
    };
    // Known once the work begins.
    let newsPause: Pause | undefined;
    const turns = systemTurnRoom(async () => newsPause?.(), TELLING_MS_MAX);
    const audience = createAudience({ turns, nowMs: () => performance.now() });
    const all = many(count, () => createAttached({ standing, now: () => 1, notify, audience }));
    const fill = async (attached: Attached, of: number) => {
      for (let at = 0; at < handles; at++) {
        const session = sessionAt(of * handles + at) as never;
        const { handle } = await attached.attach(async () => ({ token: "", session, expiresAtMs: 2_000 }));
        attached.attached(handle);
      }
      for (let at = 0; at < calls; at++) {
        const answer = { decisionId: `d${of}-${at}`, effect: Effect.ALLOW, revision: 2n };
        const call = create(DecideRequestSchema, { callId: `c${at}`, tool: "pay" });
        attached.decided(1 + (at % handles), call, create(DecideResponseSchema, answer));
      }
    };
    const work = prepareWith(
      async (pause) => {
        for (const [of, attached] of all.entries()) {
          await fill(attached, of);
          if (of % 100 === 0) await pause();
        }
        await settle(pause);
        held.revoked = revokedFrom(rows());
      },
      async (pause) => {
        newsPause = pause;
        does(audience, all);
        let [quiet, seen] = [0, -1];
        while (quiet < QUIET_TURNS) {
          quiet = seen === told ? quiet + 1 : 0;
          seen = told;
          await pause();
        }
      },
    );
    return Object.assign(work, { compiles: true } as const);
  },
});

const halt = () => [{ kind: "tenant" as const, subject: "", labels: {} }];
const halts = () =>
  many(64, (at) => ({
    ...{ kind: "labels" as const, subject: `${at}` },
    labels: Object.fromEntries(many(16, (n) => [n === 0 ? `l${at}` : `m${n}`, "x"])),
  }));
const nothing = () => [];
const moved = (audience: Audience) => audience.tenantMoved("t");
const revoked = (ids: readonly string[]) => {
  const ended = new Set(ids);
  return (audience: Audience) => audience.sessionsEnded(ended, "session_revoked");
};
const tenThousand = many(10_000, (at) => `s${at}`);

/** What is told unasked, at the limits of a stream, and of very many streams. */
export const unasked: readonly Case[] = [
  streams("a change of the tenant that stops nobody", ONE, nothing, moved),
  streams("a halt of everybody, 8,192 calls running", ONE, halt, moved),
  streams("a halt of one session whose 8,192 calls run", ONE_SESSION, halt, moved),
  streams("64 halts by 16 labels each", ONE, halts, moved),
  streams("a session revoked that all are below", ONE, nothing, revoked(["above-7"])),
  streams("10,000 sessions revoked with one", ONE, nothing, revoked(tenThousand)),
  streams("all tokens run out", ONE, nothing, (audience) => audience.look(5_000)),
  streams("one closes", ONE, nothing, (_, [one]) => one?.closed()),
  streams("of 10 of 4,096 sessions, a change that stops nobody", MANY, nothing, moved),
  streams("of 10 of 4,096 sessions, a halt of everybody", MANY, halt, moved),
  streams("of 10 of 4,096 sessions, a session revoked that all are below", MANY, nothing, revoked(["above-7"])),
  streams("of 10 of 4,096 sessions, all tokens run out", MANY, nothing, (audience) => audience.look(5_000)),
  streams("of 10 of 4,096 sessions, nothing but a second passes", MANY, nothing, (audience) => audience.look(2)),
  streams("of 10,000 of one session, a halt of everybody", SMALL, halt, moved),
  streams("of 10,000 of one session, 10,000 revoked", SMALL, nothing, revoked(tenThousand)),
];
