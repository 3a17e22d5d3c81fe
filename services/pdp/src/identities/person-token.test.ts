import { expect, test } from "vitest";
import { JwtRefused } from "./jwt-refused.ts";
import { personFrom } from "./person-token.ts";
import type { Issuer } from "./trust.ts";

const issuer = { name: "staff", audiences: ["remit-cli", "remit-console"] } as unknown as Issuer;
const good = { aud: "remit-cli", iat: 1, name: "Ada", email: "ada@example.com" };
const read = (payload: object, header: object = {}) => personFrom(header as never, payload as never, issuer);

test("an ID token of a client of ours says who somebody is to others", () => {
  expect(read(good, { typ: "JWT" })).toEqual({ displayName: "Ada", email: "ada@example.com" });
  expect(read({ ...good, aud: ["remit-cli", "remit-console"], azp: "remit-console" }).displayName).toBe("Ada");
  expect(read({ aud: "remit-cli", iat: 1, preferred_username: "ada" })).toEqual({ displayName: "ada", email: "" });
});

test.each([
  ["also for another client", { aud: ["remit-cli", "another"], azp: "remit-cli" }, "also for"],
  ["for several clients, of nobody", { aud: ["remit-cli", "remit-console"] }, "azp"],
  ["issued to another client", { azp: "another" }, "issued to another client"],
  ["issued to something that is no client", { azp: 7 }, "issued to another client"],
  ["for a number", { aud: ["remit-cli", 7], azp: "remit-cli" }, "also for"],
  ["of no time", { iat: undefined }, "iat"],
])("a token %s proves no person", (_what, change, why) => {
  const payload = { ...good, ...change };
  expect(() => read(payload)).toThrow(JwtRefused);
  expect(() => read(payload)).toThrow(why);
});

test("an access token and a logout token prove no person", () => {
  expect(() => read(good, { typ: "at+jwt" })).toThrow("proves no person");
  expect(() => read(good, { typ: "logout+jwt" })).toThrow("proves no person");
});

test("what is shown to others is bounded, and holds nothing that cannot be seen", () => {
  const { displayName, email } = read({ ...good, name: `A\u0000\u202e${"x".repeat(1000)}`, email: { no: "text" } });
  expect(displayName).toMatch(/^Ax{255}$/);
  expect(email).toBe("");
});
