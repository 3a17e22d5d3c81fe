import { create } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { DecideRequestSchema, DecideResponseSchema } from "@remit/proto/decision";
import { createStanding } from "../../services/pdp/src/decisions/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { revokedFrom } from "../../services/pdp/src/policies/revoked.ts";
import { createAttached } from "../../services/pdp/src/wire/attached.ts";
import { type Case, compiled, many, rule } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

type Attached = ReturnType<typeof createAttached>;

const link = (at: number) => ({ id: `above-${at}`, agent: "clerk", labels: {} });
const sessionAt = (at: number) => ({
  ...{ id: `s${at}`, tenant: "t", agent: "clerk", openedAtMs: 0, security: 1n, expiresAtMs: 1e15 },
  ...{ ancestors: many(8, link), labels: { team: `t${at}` }, principal: { id: "mia", verified: true, labels: {} } },
});

/** A stream with as many sessions, and as many calls that run, as it may have; `revoke`: what its tenant is told next. */
const streams = (
  name: string,
  rows: () => Parameters<typeof revokedFrom>[0],
  does: (attached: Attached) => void,
): Case => ({
  name: `streams: ${name}`,
  make: () => {
    const known = compiled([rule(0, {})]);
    const agents = new Map([["clerk", { spec: { labels: {}, status: "active" }, metadata: { name: "clerk" } }]]);
    const held = { revoked: revokedFrom([]) };
    const settings = { status: "active", quotas: {} };
    const revisions = { security: 1n, policy: 1n };
    const snapshot = () => ({ ...held, tenant: "t", agents, settings, revisions, compiled: known, tools: new Map() });
    const standing = createStanding({
      snapshots: { held: snapshot } as never,
      identities: {} as never,
      clock: { now: () => 1 },
    });
    const told: unknown[] = [];
    const attached = createAttached(
      standing,
      () => 1,
      (body) => void told.push(body),
    );
    return prepareWith(
      async () => {
        for (let at = 0; at < limits.handlesPerStreamMax; at++) {
          const { handle } = await attached.attach(async () => ({
            ...{ token: "", session: sessionAt(at) as never, expiresAtMs: 2 },
          }));
          attached.attached(handle);
        }
        for (let at = 0; at < limits.callsWatchedPerStreamMax; at++) {
          const answer = { decisionId: `d${at}`, effect: Effect.ALLOW, revision: 2n };
          const call = create(DecideRequestSchema, { callId: `c${at}`, tool: "pay" });
          attached.decided(1 + (at % limits.handlesPerStreamMax), call, create(DecideResponseSchema, answer));
        }
        held.revoked = revokedFrom(rows());
      },
      async (pause) => {
        does(attached);
        for (let seen = -1; seen < told.length; await pause()) seen = told.length;
      },
    );
  },
});

const halt = [{ kind: "tenant" as const, subject: "", labels: {} }];

/** What is told unasked, at the limits of a stream. */
export const unasked: readonly Case[] = [
  streams(
    "a change of the tenant that stops nobody",
    () => [],
    (attached) => attached.tenantMoved("t"),
  ),
  streams(
    "a halt of everybody, 8,192 calls running",
    () => halt,
    (attached) => attached.tenantMoved("t"),
  ),
  streams(
    "64 halts by 16 labels each",
    () =>
      many(64, (at) => ({
        kind: "labels",
        subject: `${at}`,
        labels: Object.fromEntries(many(16, (n) => [n === 0 ? `l${at}` : `m${n}`, "x"])),
      })),
    (attached) => attached.tenantMoved("t"),
  ),
  streams(
    "a session revoked that all are below",
    () => [],
    (attached) => attached.sessionsEnded(new Set(["above-7"]), "session_revoked"),
  ),
  streams(
    "10,000 sessions revoked with one",
    () => [],
    (attached) => attached.sessionsEnded(new Set(many(10_000, (at) => `s${at}`)), "session_revoked"),
  ),
  streams(
    "all tokens run out",
    () => [],
    (attached) => attached.look(5),
  ),
];
