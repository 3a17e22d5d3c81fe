import { compile, completeFacts, evaluate, type JsonObject, parseDocuments } from "@remit/engine";
import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * Ceilings that are longer than entries tell whole: an entry keeps of each what it says of the call's tool, by which the call
 * can be judged again.
 */

let house: House;
let calls = 0;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});

afterAll(() => house.close());

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });
const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

async function putGroup(name: string, member: string, ceiling: object): Promise<void> {
  const document = { apiVersion: "remit/v1", kind: "Group", metadata: { name }, spec: { members: [member], ceiling } };
  const sent = { document: { file: "group.yaml", text: JSON.stringify(document) } };
  const { problems } = await house.clients.groups.putGroup(sent, { headers: owner() });
  expect(problems).toEqual([]);
}

const sessionFor = async (id: string) =>
  (await openSession(house, { onBehalfOf: { case: "principal", value: { id } } })).headers;

const call = (tool: string, value: JsonObject) => ({
  ...{ callId: `call-${++calls}`, tool, supportedConstraints: ["timeout", "maxOutputBytes"] },
  input: { case: "inputObject" as const, value: value as never },
});
const decide = (headers: Record<string, string>, tool: string, input: JsonObject) =>
  house.clients.decisions.decide(call(tool, input), { headers });
const pay = (headers: Record<string, string>, amount: number) => decide(headers, "payments.transfer", { amount });

/** What an entry says, and what the engine says of the facts in it: under a policy that allows whatever scopes do. */
async function entryOf(decisionId: string) {
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, { headers: owner() });
  const body = decision?.body as unknown as Record<string, JsonObject> & {
    readonly at: string;
    readonly scopes: readonly JsonObject[];
  };
  const { tool, input, agent, principal, session, caller, at: now, scopes } = body;
  const documents = [
    { apiVersion: "remit/v1", kind: "Tool", metadata: { name: tool }, spec: { risk: "write" } },
    {
      ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "any" } },
      spec: { rules: [{ id: "any", match: { tools: ["*"] }, effect: "allow" }] },
    },
  ];
  const parsed = parseDocuments(documents.map((one, at) => ({ file: `${at}`, text: JSON.stringify(one) }))).documents;
  const policies = parsed.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: parsed.tools });
  if (!compiled) throw new Error("it does not compile");
  const facts = { call: { tool, input }, agent, principal, session, caller, now, scopes };
  const { effect, code, message, detail, remedy } = evaluate(compiled, completeFacts(facts as unknown as JsonObject));
  return { scopes, reason: body.reason, again: { effect, code, message, detail, remedy } };
}

const bound = { tool: "payments.*", path: "input.amount", max: 10 };
const globs = (prefix: string) => many(300, (at) => `${prefix}-${at}.`.padEnd(240, "x").concat("*"));
const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);

test("an entry keeps what long ceilings say of the call's tool, and the call is judged again by that", async () => {
  const headers = await sessionFor("mia");
  const bounds = [{ tool: "invoices.*", path: "input.id", equals: "INV-7" }, bound];
  await putGroup("first", "mia", { tools: [...globs("a"), "payments.*", "invoices.read"], bounds, disclose: true });
  await putGroup("second", "mia", { tools: globs("b").concat("payments.transfer") });
  const first = { tools: ["payments.*"], bounds: [bound], disclose: true, partOf: { digest, tools: 302, bounds: 2 } };
  const second = { tools: ["payments.transfer"], partOf: { digest, tools: 301, bounds: 0 } };

  const allowed = await pay(headers, 10);
  expect([allowed.effect, allowed.reason?.code]).toEqual([Effect.ALLOW, "rule_allowed"]);
  const allowing = await entryOf(allowed.decisionId);
  expect(allowing.scopes).toEqual([{ tools: ["*"] }, first, second]);
  expect(allowing.again).toMatchObject({ effect: "allow", code: "rule_allowed" });

  const denied = await pay(headers, 11);
  expect([denied.effect, denied.reason?.code]).toEqual([Effect.DENY, "scope_exceeded"]);
  const denying = await entryOf(denied.decisionId);
  expect(denying.scopes).toEqual(allowing.scopes);
  expect(denying.again).toMatchObject({ effect: "deny", code: "scope_exceeded", remedy: "Allowed: at most 10." });
  expect(denying.reason).toMatchObject({ message: denying.again.message, detail: denying.again.detail });

  // Outside the second: who asks is told all of its names, if anything.
  const outside = await entryOf((await decide(headers, "invoices.read", { id: "INV-7" })).decisionId);
  expect(outside.again).toMatchObject({ code: "scope_exceeded", detail: expect.stringContaining("b-299") });
  expect(outside.reason).toMatchObject({ message: outside.again.message, detail: outside.again.detail });
  expect(outside.scopes[2]).toEqual({ tools: globs("b").concat("payments.transfer") });
});

test("the digest of a ceiling is another once the ceiling is, though it says the same of the tool", async () => {
  const headers = await sessionFor("lea");
  const wholeOf = async () => (await entryOf((await pay(headers, 5)).decisionId)).scopes[1]?.partOf;
  await putGroup("third", "lea", { tools: [...globs("a"), "payments.*"] });
  const [before, same] = [await wholeOf(), await wholeOf()];
  expect(same).toEqual(before);
  await putGroup("third", "lea", { tools: [...globs("c"), "payments.*"] });
  expect(await wholeOf()).toMatchObject({ tools: 301, bounds: 0 });
  expect(await wholeOf()).not.toEqual(before);
});

test("a call of a tool of which ceilings say more than an entry can hold is refused, and no other", async () => {
  const headers = await sessionFor("ben");
  const values = (at: number) => many(100, (n) => `${at}-${n}`.padEnd(1_000, "x"));
  const bounds = many(9, (at) => ({ tool: "payments.*", path: "input.memo", in: values(at) }));
  for (const at of many(3, (n) => n)) await putGroup(`long-${at}`, "ben", { tools: ["*"], bounds });
  const { code, detail } = await failure(pay(headers, 5));
  expect([code, detail.reason, detail.limit]).toEqual(["FailedPrecondition", "scopes_too_long", "2097152 bytes"]);
  const { reason } = await decide(headers, "invoices.read", { id: "INV-7" });
  expect(reason?.code).toBe("rule_allowed");
  // What is recorded of no call is explained all the same.
  const asked = { call: call("payments.transfer", { amount: 5 }) };
  const { checks } = await house.clients.decisions.explain(asked as never, { headers });
  expect(checks.find(({ name }) => name === "scope")?.detail).toContain("input.memo exceeds its bound in");
});
