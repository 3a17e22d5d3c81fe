import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});

afterAll(() => house.close());

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });
const principal = (id: string) => ({ onBehalfOf: { case: "principal" as const, value: { id } } });
const bound = (value: string) => ({
  tools: ["*"],
  bounds: [{ tool: "*", path: "input.to", limit: { case: "in" as const, value: { values: [value] } } }],
});

test.each([
  ["purpose", { purpose: "a\0b" }, "purpose"],
  ["run id", { runId: "a\0b" }, "run_id"],
  ["principal", principal("a\0b"), "principal.id"],
  ["label", { labels: { team: "a\0b" } }, "labels.team"],
  ["member of a bound", { scope: bound("a\0b") }, "scope.bounds[0].in"],
])("a %s that no text column takes is refused by name", async (_what, opening, field) => {
  expect(await failure(openSession(house, opening))).toMatchObject({ code: "InvalidArgument", detail: { field } });
});

test("a member of a bound is as short as any other text of a scope", async () => {
  expect(await failure(openSession(house, { scope: bound("x".repeat(257)) }))).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "scope.bounds[0].in", limit: "256 bytes" },
  });
});

test("times that no calendar has are refused by name, by the lane that cannot tell", async () => {
  const never = { seconds: 10n ** 15n, nanos: 0 };
  const { sessionsByGrpc, decisionsByGrpc } = house.clients;
  const opening = sessionsByGrpc.openSession(
    { agent: "clerk", scope: { tools: ["*"], expiresAt: never } },
    { headers: owner() },
  );
  expect(await failure(opening)).toMatchObject({ code: "InvalidArgument", detail: { field: "scope.expires_at" } });

  const { headers } = await openSession(house);
  const report = (more: object) =>
    failure(
      decisionsByGrpc.report(
        { subject: { case: "callId", value: "never-asked" }, outcome: Outcome.NOT_EXECUTED, ...more },
        { headers },
      ),
    );
  expect(await report({ startedAt: never })).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "started_at" },
  });
  expect(await report({ duration: never })).toMatchObject({ code: "InvalidArgument", detail: { field: "duration" } });
  expect(await report({ duration: { seconds: -1n, nanos: 0 } })).toMatchObject({ detail: { field: "duration" } });
});

test("a version beyond what there can be, and a policy chosen twice, are refused by name", async () => {
  const activate = (...choices: { policy: string; version: number }[]) =>
    failure(house.clients.policies.activatePolicies({ choices }, { headers: owner() }));
  expect(await activate({ policy: "house", version: 2 ** 31 })).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "choices[0].version" },
  });
  expect(await activate({ policy: "house", version: 1 }, { policy: "house", version: 99 })).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "choices" },
  });
});

test("a run is not answered with another run's principal or scope", async () => {
  const run = { runId: "run-of-mia", ...principal("mia"), scope: { tools: ["invoices.*"] } };
  const { session } = await openSession(house, run);
  expect((await openSession(house, run)).session.id).toBe(session.id);
  for (const other of [
    { ...run, ...principal("noa") },
    { ...run, scope: { tools: ["invoices.read"] } },
  ]) {
    expect(await failure(openSession(house, other))).toMatchObject({
      code: "AlreadyExists",
      detail: { reason: "run_id_reused", field: "run_id" },
    });
  }
});

test("an input sent as an object keeps the keys that are names of the language", async () => {
  const { headers } = await openSession(house);
  const value = JSON.parse('{"__proto__":{"amount":1}}');
  const answers = await Promise.all(
    [house.clients.decisions, house.clients.decisionsByGrpc].map((lane, at) =>
      lane.decide({ callId: `proto-${at}`, tool: "invoices.read", input: { case: "inputObject", value } }, { headers }),
    ),
  );
  const plain = await house.clients.decisions.decide(
    { callId: "plain", tool: "invoices.read", input: { case: "inputJson", value: Buffer.from(JSON.stringify(value)) } },
    { headers },
  );
  expect(answers.map(({ inputDigest }) => inputDigest)).toEqual([plain.inputDigest, plain.inputDigest]);
});
