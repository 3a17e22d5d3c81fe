import { describe, expect, test } from "vitest";
import { endedBecause, type Link, type Session, stateAt, withEnded } from "./session.ts";

const link = (id: string, more: Partial<Link> = {}): Link => ({
  ...{ id, agent: "planner", scope: undefined, labels: {}, state: "open", expiresAtMs: 1000 },
  ...more,
});
const root: Session = {
  ...{ id: "s", tenant: "t", agent: "clerk", purpose: "", scope: undefined, labels: {}, runId: undefined },
  ...{ state: "open", parent: undefined, ancestors: [], depth: 0, openedBy: "c", details: {} },
  ...{ openedAtMs: 0, expiresAtMs: 1000, principal: { id: "mia", verified: false, labels: {} } },
};
const under = (...ancestors: Link[]): Session => ({
  ...{ ...root, ancestors, depth: ancestors.length },
  ...{ parent: ancestors.at(-1)?.id, expiresAtMs: 900 },
});

describe("a session that nobody delegated", () => {
  test("ends when it is closed, revoked or too old", () => {
    expect(endedBecause(root, 999)).toBeUndefined();
    expect([endedBecause(root, 1000), stateAt(root, 1000)]).toEqual(["session_closed", "expired"]);
    expect(endedBecause({ ...root, state: "closed" }, 0)).toBe("session_closed");
    expect(endedBecause({ ...root, state: "revoked" }, 1000)).toBe("session_revoked");
  });
});

describe("a delegated session", () => {
  const open = under(link("a"), link("b"));

  test("goes on while every session above it does", () => {
    expect([endedBecause(open, 899), stateAt(open, 899)]).toEqual([undefined, "open"]);
  });

  test.each([
    ["its own time is over", open, 900, "delegation_expired", "expired"],
    ["the root's time is over", under(link("a", { expiresAtMs: 5 }), link("b")), 5, "delegation_expired", "expired"],
    ["its parent is closed", under(link("a"), link("b", { state: "closed" })), 0, "session_closed", "closed"],
    ["the root is closed", under(link("a", { state: "closed" }), link("b")), 0, "session_closed", "closed"],
    ["the root is revoked", under(link("a", { state: "revoked" }), link("b")), 0, "session_revoked", "revoked"],
  ] as const)("has ended when %s", (_, session, nowMs, code, state) => {
    expect([endedBecause(session, nowMs), stateAt(session, nowMs)]).toEqual([code, state]);
  });

  test("is told to be revoked rather than closed, and closed rather than late", () => {
    const both = under(link("a", { state: "closed" }), link("b", { state: "revoked", expiresAtMs: 0 }));
    expect(endedBecause(both, 5000)).toBe("session_revoked");
    expect(endedBecause(under(link("a", { state: "closed", expiresAtMs: 0 })), 5000)).toBe("session_closed");
  });

  test("takes what is heard of it and of those above it, and is the same where that is nothing new", () => {
    expect(withEnded(open, () => undefined)).toBe(open);
    const heard = withEnded(open, (id) => (id === "a" ? "revoked" : undefined));
    expect(heard.ancestors.map(({ state }) => state)).toEqual(["revoked", "open"]);
    expect(withEnded(heard, () => "closed").ancestors.map(({ state }) => state)).toEqual(["revoked", "closed"]);
    expect(withEnded(open, (id) => (id === "s" ? "closed" : undefined)).state).toBe("closed");
  });
});
