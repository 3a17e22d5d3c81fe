import { expect, test } from "vitest";
import { GRANTS, grantOf, methodName } from "../src/wire/grants.ts";
import { rolesPage } from "./roles/page.ts";
import { everyMethod } from "./support/descriptors.ts";

test("every RPC of the contract is granted to somebody, and nothing else is", async () => {
  const methods = (await everyMethod()).map(methodName);
  const granted = Object.entries(GRANTS).flatMap(([service, rpcs]) =>
    Object.keys(rpcs).map((rpc) => `${service}/${rpc}`),
  );
  expect(methods.length).toBeGreaterThan(40);
  expect(granted.sort()).toEqual(methods.sort());
});

test("an RPC without a row cannot be served", async () => {
  const [method] = await everyMethod();
  if (!method) throw new Error("there is no RPC");
  const unheard = { ...method, name: "Unheard" };
  expect(() => grantOf(unheard as typeof method)).toThrow(/needs a row/);
});

test("what an entry repeats of a request are fields of it, and none that may hold a secret or a document's text", async () => {
  const wrong = (await everyMethod()).flatMap((method) =>
    (grantOf(method).tells ?? [])
      .filter(
        (name) => method.input.field[name] === undefined || /token$|secret|password|^(text|key|jwks)$/i.test(name),
      )
      .filter((name) => name !== "pageToken")
      .map((name) => `${methodName(method)} ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("docs/roles.md says what the table says; run vitest with --update on this file to write it anew", async () => {
  await expect(rolesPage()).toMatchFileSnapshot("../../../docs/roles.md");
});
