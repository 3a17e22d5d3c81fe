import { create } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { DecideRequestSchema, DecideResponseSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import type { Standing } from "../decisions/index.ts";
import { limits } from "../foundation/limits.ts";
import { createTurnRoom, noTurnRoom } from "../foundation/turn-room.ts";
import type { Session } from "../identities/index.ts";
import { type Attaching, createAttached, type NoticeBody } from "./attached.ts";
import { createAudience } from "./audience.ts";

/** Slices of some fifty parts, by a clock that goes on whenever it is looked at. */
function slicesOf50() {
  let clockMs = 0;
  const nowMs = () => (clockMs += 0.02);
  return { turns: createTurnRoom({ nowMs, nextTurn: (then) => void setImmediate(then) }), nowMs };
}

function streamOf(standing: Partial<Standing> = {}, slices = { turns: noTurnRoom, nowMs: () => 0 }) {
  const told: NoticeBody[] = [];
  const known: Standing = {
    sessionBar: () => undefined,
    toolBar: () => undefined,
    revision: () => 7n,
    subscribe: () => () => {},
    ...standing,
  };
  const audience = createAudience(slices);
  const attached = createAttached({ standing: known, now: () => 0, notify: (body) => void told.push(body), audience });
  return { attached, told, audience };
}

const opening = (id = "s1", expiresAtMs = 1_000): Attaching => {
  const session: Partial<Session> = { id, tenant: "t", ancestors: [] };
  return { token: `token of ${id}`, session: session as Session, expiresAtMs };
};

/** Attaches, and answers the handle as its peer was told it. */
async function attach(attached: ReturnType<typeof createAttached>, id?: string): Promise<number> {
  const { handle } = await attached.attach(async () => opening(id));
  attached.attached(handle);
  return handle;
}

function allowed(attached: ReturnType<typeof createAttached>, handle: number, callId: string, revision = 7n) {
  const answer = create(DecideResponseSchema, { decisionId: `d-${callId}`, effect: Effect.ALLOW, revision });
  attached.decided(handle, create(DecideRequestSchema, { callId, tool: "pay" }), answer);
}

test("no more sessions are attached than a stream may have, however many come at once", async () => {
  const { attached } = streamOf();
  for (let n = 0; n < limits.handlesPerStreamMax - 2; n++) await attached.attach(async () => opening(`s${n}`));
  const gate = Promise.withResolvers<Attaching>();
  const many = Array.from({ length: 10 }, () => attached.attach(() => gate.promise));
  const settled = Promise.allSettled(many);
  gate.resolve(opening());
  const how = (await settled).map(({ status }) => status);
  expect(how.filter((status) => status === "fulfilled")).toHaveLength(2);
  expect(attached.size).toBe(limits.handlesPerStreamMax);
});

test("one that could not be attached takes no room", async () => {
  const { attached } = streamOf();
  const failing = () => attached.attach(() => Promise.reject(new Error("no")));
  for (let n = 0; n < limits.handlesPerStreamMax + 1; n++) await expect(failing()).rejects.toThrow("no");
  expect(attached.size).toBe(0);
});

test("a session that has ended makes room for another", async () => {
  const { attached, audience } = streamOf();
  for (let n = 0; n < limits.handlesPerStreamMax; n++) await attach(attached, `s${n}`);
  await expect(attach(attached)).rejects.toThrow("too many sessions");
  audience.sessionsEnded(new Set(["s5"]), "session_closed");
  const handle = await attach(attached, "new");
  expect(attached.tokenOf(handle)).toBe("token of new");
  expect(() => attached.tokenOf(6)).toThrow("no session is attached as handle 6");
});

test("an end that is heard of twice is told once, and another reason is told too", async () => {
  let bar: string | undefined = "agent_suspended";
  const { attached, told, audience } = streamOf({ sessionBar: () => bar });
  const { handle } = await attached.attach(async () => opening());
  audience.tenantMoved("t");
  expect(told).toEqual([]);
  // Before its peer knows the handle, no notice names it; then what stands in the way is told at once.
  attached.attached(handle);
  audience.tenantMoved("t");
  expect(told.map(({ value }) => value)).toMatchObject([{ handle, code: "agent_suspended" }]);
  bar = undefined;
  audience.tenantMoved("t");
  bar = "tenant_suspended";
  for (let times = 0; times < 3; times++) audience.tenantMoved("t");
  for (let times = 0; times < 3; times++) audience.sessionsEnded(new Set(["s1"]), "session_closed");
  audience.look(2_000);
  expect(told.map(({ value }) => value)).toMatchObject([
    { code: "agent_suspended" },
    { code: "tenant_suspended" },
    { code: "session_closed" },
  ]);
});

test("a call that was allowed just before its session ended is cancelled right after its answer", async () => {
  const { attached, told, audience } = streamOf();
  const handle = await attach(attached);
  audience.sessionsEnded(new Set(["s1"]), "session_closed");
  allowed(attached, handle, "c1");
  expect(told.map(({ value }) => value)).toMatchObject([{ handle }, { callId: "c1", code: "session_closed" }]);
});

test("a call of a tool that was suspended while it was recorded is cancelled right after its answer", async () => {
  const { attached, told } = streamOf({ toolBar: () => "tool_suspended" });
  const handle = await attach(attached);
  allowed(attached, handle, "judged-since", 7n);
  expect(told).toEqual([]);
  allowed(attached, handle, "judged-before", 6n);
  expect(told.map(({ value }) => value)).toMatchObject([{ callId: "judged-before", code: "tool_suspended" }]);
});

test("of too many running calls the oldest are forgotten; reported and detached ones are not cancelled", async () => {
  const { attached, told, audience } = streamOf();
  const [handle, detached] = [await attach(attached, "s1"), await attach(attached, "s2")];
  allowed(attached, detached, "detached");
  attached.detach(detached);
  for (let n = 0; n <= limits.callsWatchedPerStreamMax; n++) allowed(attached, handle, `c${n}`);
  attached.reported("d-c1");
  audience.sessionsEnded(new Set(["s1", "s2"]), "session_closed");
  const cancelled = told.flatMap((body) => (body.case === "callCancel" ? [body.value.callId] : []));
  expect(cancelled).toHaveLength(limits.callsWatchedPerStreamMax - 1);
  expect(cancelled[0]).toBe("c2");
});

test("a call that is reported, or whose session is detached, is not cancelled", async () => {
  const { attached, told, audience } = streamOf();
  const [one, other] = [await attach(attached, "s1"), await attach(attached, "s2")];
  for (const callId of ["a", "b"]) allowed(attached, one, callId);
  allowed(attached, other, "c");
  attached.reported("d-a");
  attached.detach(other);
  audience.sessionsEnded(new Set(["s1", "s2"]), "session_closed");
  expect(told).toEqual([
    { case: "callCancel", value: { handle: one, callId: "b", code: "session_closed" } },
    { case: "sessionEnded", value: { handle: one, code: "session_closed" } },
  ]);
});

test("a session with very many calls is told of the end after all of them, and of a newer one in its place", async () => {
  let bar: string | undefined = "halted";
  const { attached, told, audience } = streamOf({ sessionBar: () => bar }, slicesOf50());
  bar = undefined;
  const handle = await attach(attached);
  for (let n = 0; n < 300; n++) allowed(attached, handle, `c${n}`);
  bar = "halted";
  audience.tenantMoved("t");
  expect(told.length).toBeLessThan(100);
  audience.sessionsEnded(new Set(["s1"]), "session_revoked");
  // One that is answered meanwhile is cancelled like those before it.
  allowed(attached, handle, "late");
  while (told.length < 302) await new Promise((resolve) => setImmediate(resolve));
  for (let more = 0; more < 5; more++) await new Promise((resolve) => setImmediate(resolve));
  const cancelled = told.flatMap((body) => (body.case === "callCancel" ? [body.value.callId] : []));
  expect(cancelled).toHaveLength(301);
  expect(new Set(cancelled)).toHaveLength(301);
  expect(told.filter(({ case: kind }) => kind !== "callCancel")).toEqual([
    { case: "sessionEnded", value: { handle, code: "session_revoked" } },
  ]);
  expect(told.at(-1)?.case).toBe("sessionEnded");
});

test("nothing is told on a stream that has closed, nor of a handle that was detached while its calls were told to stop", async () => {
  const { attached, told, audience } = streamOf({}, slicesOf50());
  const [one, other] = [await attach(attached, "s1"), await attach(attached, "s2")];
  for (const handle of [one, other]) for (let n = 0; n < 300; n++) allowed(attached, handle, `c${handle}-${n}`);
  audience.sessionsEnded(new Set(["s1"]), "session_closed");
  attached.detach(one);
  const before = told.length;
  for (let more = 0; more < 20; more++) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toHaveLength(before);
  attached.closed();
  audience.sessionsEnded(new Set(["s2"]), "session_closed");
  while (audience.size > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toHaveLength(before);
});
