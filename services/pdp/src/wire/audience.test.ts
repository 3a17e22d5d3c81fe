import { expect, test } from "vitest";
import { createTurnRoom, noTurnRoom } from "../foundation/turn-room.ts";
import type { Session } from "../identities/index.ts";
import { createAudience, type Listener, type News, TELLING_MS_MAX } from "./audience.ts";

const listener = (id: string, heard: string[], more: Partial<Session> = {}, expiresAtMs = 1_000_000): Listener => ({
  session: { id, tenant: "t", ancestors: [], expiresAtMs: 1_000_000, ...more } as unknown as Session,
  expiresAtMs,
  hear(news: News) {
    heard.push(news.of === "end" ? `${id}: ${news.code}` : `${id}: ${news.of}`);
    return [];
  },
});
const above = (id: string, expiresAtMs = 1_000_000) =>
  ({ id, agent: "clerk", expiresAtMs }) as Session["ancestors"][number];

/** An audience for which every look at the clock takes a while. */
function slowAudience(lookMs: number, turned: () => void = () => {}) {
  let clockMs = 0;
  const nowMs = () => (clockMs += lookMs);
  const nextTurn = (then: () => void) =>
    void setImmediate(() => {
      turned();
      then();
    });
  return createAudience({ turns: createTurnRoom({ nowMs, nextTurn, busyMsMax: TELLING_MS_MAX }), nowMs });
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const plain = () => createAudience({ turns: noTurnRoom, nowMs: () => 0 });

test("news is heard by those whom it concerns, and by nobody who left", async () => {
  const heard: string[] = [];
  const audience = plain();
  const [root, child, other, gone] = [
    listener("root", heard),
    listener("child", heard, { ancestors: [above("root")] }),
    listener("other", heard, { tenant: "another" }),
    listener("gone", heard, { ancestors: [above("root")] }),
  ] as const;
  for (const one of [root, child, other, gone]) audience.add(one);
  audience.delete(gone);
  expect(audience.size).toBe(3);
  audience.tenantMoved("t");
  audience.tenantMoved("nobody's");
  audience.sessionsEnded(new Set(["root", "unknown"]), "session_revoked");
  audience.sessionsEnded(new Set(["child"]), "session_closed");
  expect(heard).toEqual([
    ...["root: tenant", "child: tenant"],
    ...["root: session_revoked", "child: session_revoked"],
    "child: session_closed",
  ]);
  audience.deleteAll([root, child, other]);
  await turn();
  audience.tenantMoved("t");
  expect([audience.size, heard.length]).toEqual([0, 5]);
});

test("time is heard once each time it changes something: for a token, a session, and those above it", () => {
  const heard: string[] = [];
  const audience = plain();
  audience.add(listener("s", heard, { expiresAtMs: 9_000, ancestors: [above("root", 9_500)] }, 4_200));
  const heardAt = [4_199, 4_200, 4_700, 6_000, 8_999, 9_100, 9_500, 20_000].map((nowMs) => {
    audience.look(nowMs);
    return heard.splice(0).length;
  });
  expect(heardAt).toEqual([0, 1, 0, 0, 0, 1, 1, 0]);
});

test("one whose time was over before it came is looked at once", () => {
  const heard: string[] = [];
  const audience = plain();
  audience.add(listener("s", heard, { expiresAtMs: 500 }, 400));
  for (const nowMs of [10_000, 11_000]) audience.look(nowMs);
  expect(heard).toEqual(["s: time"]);
});

test("of very many each hears once, in order, and others are answered in between", async () => {
  const heard: string[] = [];
  const audience = slowAudience(0.02);
  const ids = Array.from({ length: 300 }, (_, at) => `s${at}`);
  for (const id of ids) audience.add(listener(id, heard));
  audience.tenantMoved("t");
  const atOnce = heard.length;
  expect(atOnce).toBeGreaterThan(5);
  expect(atOnce).toBeLessThan(100);
  let turns = 0;
  for (; heard.length < ids.length; turns++) await turn();
  expect(turns).toBeGreaterThan(3);
  for (let more = 0; more < 5; more++) await turn();
  expect(heard).toEqual(ids.map((id) => `${id}: tenant`));
});

test("what concerns one does not wait until all of a tenant have heard of something else", async () => {
  const heard: string[] = [];
  const audience = slowAudience(0.02);
  for (let at = 0; at < 2_000; at++) audience.add(listener(`s${at}`, heard));
  audience.tenantMoved("t");
  audience.sessionsEnded(new Set(["s1999"]), "session_revoked");
  while (!heard.includes("s1999: session_revoked")) await turn();
  expect(heard.length).toBeLessThan(1_000);
  while (heard.length < 2_001) await turn();
  expect(heard.at(-1)).toBe("s1999: tenant");
});

test("however much is news at one moment, no turn has more of telling than may be written after it", async () => {
  const heard: string[] = [];
  const lookMs = 0.02;
  // Of each turn.
  const counts: number[] = [];
  let before = 0;
  const audience = slowAudience(lookMs, () => {
    counts.push(heard.length - before);
    before = heard.length;
  });
  for (let at = 0; at < 300; at++) audience.add(listener(`s${at}`, heard, { ancestors: [above("root")] }));
  audience.tenantMoved("t");
  audience.sessionsEnded(new Set(["root"]), "session_revoked");
  audience.sessionsEnded(new Set(["s7"]), "session_closed");
  while (heard.length < 601) await turn();
  expect(Math.max(...counts)).toBeLessThanOrEqual(TELLING_MS_MAX / lookMs + 2);
  const revoked = heard.filter((each) => each.endsWith(": session_revoked"));
  expect(revoked).toEqual(Array.from({ length: 300 }, (_, at) => `s${at}: session_revoked`));
});

test("a tenant that moves again while it is told of is told of once more, to all, however often it moved", async () => {
  const heard: string[] = [];
  const audience = slowAudience(0.02);
  for (let at = 0; at < 300; at++) audience.add(listener(`s${at}`, heard));
  for (let times = 0; times < 10; times++) audience.tenantMoved("t");
  while (heard.length < 600) await turn();
  for (let more = 0; more < 20; more++) await turn();
  expect(heard).toHaveLength(600);
  expect(new Set(heard).size).toBe(300);
  audience.tenantMoved("t");
  expect(heard.length).toBeGreaterThan(600);
});

test("thousands that run out at one moment are told in slices, and none twice by the looks after it", async () => {
  const heard: string[] = [];
  const audience = slowAudience(0.02);
  for (let at = 0; at < 500; at++) audience.add(listener(`s${at}`, heard, {}, 1_500));
  audience.look(1_600);
  expect(heard.length).toBeLessThan(100);
  audience.look(2_600);
  while (heard.length < 500) await turn();
  audience.look(3_600);
  for (let more = 0; more < 5; more++) await turn();
  expect(heard).toHaveLength(500);
});

test("those of a stream that has closed are let go in slices", async () => {
  const audience = slowAudience(0.02);
  const heard: string[] = [];
  const all = Array.from({ length: 500 }, (_, at) => listener(`s${at}`, heard));
  for (const one of all) audience.add(one);
  audience.deleteAll(all);
  let turns = 0;
  for (; audience.size > 0; turns++) await turn();
  expect(turns).toBeGreaterThan(3);
  audience.tenantMoved("t");
  expect(heard).toEqual([]);
});
