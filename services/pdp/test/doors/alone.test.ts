import { Effect, Mode } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { putBinding, putIssuer } from "../support/trusting.ts";

/*
 * What one person tries in a tenant that takes two, and what one role tries of another: by the front door alone.
 */

let house: House;
let issuer: TestIssuer;
let ada: Record<string, string>;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const owner = () => bearer(house.ownerKey);
const needsOthers = { code: "FailedPrecondition", detail: { reason: "change_needs_approval" } };

const register = async (kind: "Agent" | "Tool", name: string, spec: object) => {
  const document = {
    file: `${name}.yaml`,
    text: JSON.stringify({ apiVersion: "remit/v1", kind, metadata: { name }, spec }),
  };
  if (kind === "Agent") await house.clients.agents.putAgent({ document }, { headers: owner() });
  else await house.clients.tools.putTool({ document }, { headers: owner() });
};

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  issuer = await startIssuer();
  await register("Agent", "watched", { mode: "observe" });
  await register("Tool", "guarded", { risk: "destructive", mode: "enforce" });
  await register("Tool", "stopped", { risk: "destructive", status: "suspended" });
  await register("Tool", "plain", { risk: "read" });
  // One account of one issuer, which two of its clients vouch for.
  await putIssuer(house, { name: "staff", issuer: issuer.url, use: "people", audiences: ["cli"] });
  await putIssuer(house, { name: "jobs", issuer: issuer.url, audiences: ["api"] });
  for (const from of ["staff", "jobs"]) {
    await putBinding(house, { name: from, issuer: from, subject: "eve", roles: ["owner"] });
  }
  await putBinding(house, { name: "cell", issuer: "staff", subject: "olaf", roles: ["cell-operator"] });
  const made = ["ada", "bob"].map((name) =>
    house.clients.callers.createKey({ name, roles: ["owner"] }, { headers: owner() }),
  );
  ada = bearer((await Promise.all(made))[0]?.key ?? "");
});

afterAll(async () => {
  await house.close();
  await issuer[Symbol.asyncDispose]();
});

test("an account counts once, however many of its issuer's clients vouch for it", async () => {
  const [cli, api] = await Promise.all(["cli", "api"].map((aud) => issuer.token({ sub: "eve", aud })));
  const [person, job] = [bearer(cli ?? ""), bearer(api ?? "")];
  for (const headers of [person, job]) await house.clients.login.whoAmI({}, { headers });
  // The owner, who made ada's and bob's keys, is nobody's second person: ada, bob and eve are three, and not four.
  expect(await failure(house.clients.tenants.updateTenant({ people: 4 }, { headers: person }))).toMatchObject({
    detail: { reason: "people_too_few", limit: "3 people" },
  });
  await house.clients.tenants.updateTenant({ people: 2 }, { headers: person });
  const method = "remit.v1.TenantService/UpdateTenant";
  const { change } = await house.clients.changes.proposeChange({ method, message: { people: 1 } }, { headers: person });
  const approval = { changeId: change?.id ?? "", digest: change?.digest ?? "" };
  expect(await failure(house.clients.changes.approveChange(approval, { headers: job }))).toMatchObject({
    ...{ code: "PermissionDenied", detail: { reason: "change_same_person" } },
  });
});

test("a tool that is stopped where others are only observed is not let run by removing it", async () => {
  const { headers } = await openSession(house, { agent: "watched" });
  const decide = (tool: string, callId: string) =>
    house.clients.decisions.decide(
      { callId, tool, input: { case: "inputObject", value: {} }, supportedConstraints: ["timeout", "maxOutputBytes"] },
      { headers },
    );
  for (const tool of ["guarded", "stopped"]) {
    expect(await decide(tool, `${tool}-before`)).toMatchObject({ effect: Effect.DENY });
    const alone = house.clients.tools.deleteTools({ names: ["plain", tool] }, { headers: ada });
    expect(await failure(alone), tool).toMatchObject(needsOthers);
    expect(await decide(tool, `${tool}-after`)).toMatchObject({ effect: Effect.DENY });
  }
  await house.clients.tools.deleteTools({ names: ["plain"] }, { headers: ada });
  expect(await decide("plain", "observed")).toMatchObject({ effect: Effect.ALLOW, mode: Mode.OBSERVED });
});

test("whoever owns the first tenant does not shut out who operates the cell, by a key or by a login", async () => {
  const [olaf, guest] = await Promise.all(["olaf", "eve"].map((sub) => issuer.token({ sub, aud: "cli" })));
  const idOf = async (token = "") => (await house.clients.login.whoAmI({}, { headers: bearer(token) })).callerId;
  const [operator, person] = [await idOf(olaf), await idOf(guest)];
  const revoke = (callerId: string, headers: Record<string, string>) =>
    house.clients.callers.revokeKey({ callerId }, { headers });
  expect(await failure(revoke(operator, ada))).toMatchObject({ detail: { reason: "role_missing" } });
  await revoke(person, ada);
  await revoke(operator, owner());
  expect(await failure(idOf(olaf))).toMatchObject({ detail: { reason: "token_invalid" } });
});
