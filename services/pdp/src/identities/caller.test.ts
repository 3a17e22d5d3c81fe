import { randomFillSync } from "node:crypto";
import { expect, test } from "vitest";
import { type Caller, keyFrom, keyHash, maySpeakFor, newKey, requireBinding, requireRole } from "./caller.ts";

const caller = (own: Partial<Caller> = {}): Caller => ({
  ...{ id: "c1", tenant: "t", name: "checkout", roles: [], agents: [], mayAssertPrincipals: false },
  ...{ revoked: false, createdAtMs: 0 },
  ...own,
});
const random = (bytes: Uint8Array) => void randomFillSync(bytes);

test("a key is found in its header, and its hash is not the key", () => {
  const key = newKey(random);
  expect(key).toMatch(/^rmt_[A-Za-z0-9_-]{43}$/);
  expect(keyFrom(`Bearer ${key}`)).toBe(key);
  expect(keyFrom(`bearer  ${key} `)).toBe(key);
  expect(keyHash(key)).toHaveLength(32);
  expect(keyHash(key)).not.toEqual(keyHash(newKey(random)));
});

test.each([undefined, "", "Bearer", "Bearer x", "Basic rmt_x", `Bearer ${"rmt_".padEnd(47, "A")} more`])(
  "a header without a key is refused: %s",
  (header) => {
    expect(() => keyFrom(header)).toThrow();
  },
);

test("a caller without the role is refused; an owner has every role", () => {
  expect(() => requireRole(caller(), "viewer")).toThrow("viewer");
  expect(() => requireRole(caller({ roles: ["viewer"] }), "operator")).toThrow();
  requireRole(caller({ roles: ["viewer"] }), "viewer");
  requireRole(caller({ roles: ["owner"] }), "operator");
});

test("a caller opens sessions for the agents that it is bound to, and for none by default", async () => {
  await expect(requireBinding(caller(), "clerk")).rejects.toThrow("clerk");
  await expect(requireBinding(caller({ agents: ["clerk-*"] }), "clerk")).rejects.toThrow();
  await requireBinding(caller({ agents: ["auditor", "clerk*"] }), "clerk-7");
});

test("an owner by a login acts for nobody by that role", async () => {
  const proof = { kind: "person", issuer: "https://login.example", subject: "ada" } as const;
  const person = caller({ id: "p", roles: ["owner"], agents: ["clerk"], proof });
  requireRole(person, "operator");
  await requireBinding(person, "clerk");
  await expect(requireBinding(person, "other")).rejects.toMatchObject({ reason: "agent_not_bound" });
  expect(maySpeakFor(person, { tenant: person.tenant, openedBy: "c1" })).toBe(false);
  expect(maySpeakFor(person, { tenant: person.tenant, openedBy: "p" })).toBe(true);
});

test("only who opened a session speaks for it, or an owner of the same tenant", () => {
  const session = { tenant: "t", openedBy: "c1" };
  expect(maySpeakFor(caller(), session)).toBe(true);
  expect(maySpeakFor(caller({ id: "c2" }), session)).toBe(false);
  expect(maySpeakFor(caller({ id: "c2", roles: ["owner"] }), session)).toBe(true);
  expect(maySpeakFor(caller({ tenant: "u" }), session)).toBe(false);
  expect(maySpeakFor(caller({ id: "c2", tenant: "u", roles: ["owner"] }), session)).toBe(false);
});
