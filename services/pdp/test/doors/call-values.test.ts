import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { openStream } from "../support/exchange-stream.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
let headers: Record<string, string>;
let token: string;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers, token } = await openSession(house));
});

afterAll(() => house.close());

let calls = 0;
const named = () => ({ callId: `values-${++calls}`, tool: "invoices.read" });
const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]));
const bytes = (value: object) => Buffer.from(JSON.stringify(value));
/** Input, context and answers together, so many values in all. */
const asBytes = (values: number) => ({
  ...named(),
  input: { case: "inputJson", value: bytes(members(values - 1_001)) } as const,
  context: { case: "contextJson", value: bytes(members(1_000)) } as const,
  answers: { case: "answersJson", value: bytes({}) } as const,
});
const asObject = (values: number) => ({ ...named(), input: { case: "inputObject", value: members(values) } as const });
// A message's own fields count: in JSON three, as bytes three quarters.
const OWN_IN_JSON = 3;
const mostAsStruct = limits.messageValuesMax - 1;

const ofCall = { code: 3, detail: { reason: "request_invalid", field: "input" } };
const limitOfCall = expect.stringContaining(`callValuesMax: ${limits.callValuesMax}`);
const ofMessage = { reason: "request_invalid", limit: expect.stringContaining(`${limits.messageValuesMax} values`) };

const lanes = ["decisions", "decisionsByGrpc"] as const;

test.each(lanes)("bytes may have as many values as the limit, and no more: %s", async (lane) => {
  const { [lane]: door } = house.clients;
  expect((await door.decide(asBytes(limits.callValuesMax), { headers })).decisionId).not.toBe("");
  const { detail } = await failure(door.decide(asBytes(limits.callValuesMax + 1), { headers }));
  expect(detail).toMatchObject({ ...ofCall.detail, limit: limitOfCall, fix: "send large content by reference" });
});

test.each(lanes)("Explain obeys the limit of a call: %s", async (lane) => {
  const { [lane]: door } = house.clients;
  expect((await door.explain({ call: asBytes(limits.callValuesMax) }, { headers })).verdict).toBeDefined();
  const { detail } = await failure(door.explain({ call: asBytes(limits.callValuesMax + 1) }, { headers }));
  expect(detail).toMatchObject({ ...ofCall.detail, limit: limitOfCall });
});

test.each(lanes)("a call of a batch obeys the limit of a call, and its mates are decided: %s", async (lane) => {
  const items = [asBytes(limits.callValuesMax + 1), asBytes(limits.callValuesMax)];
  const answered = await house.clients[lane].decideBatch({ items }, { headers });
  expect(answered.items.map(({ outcome }) => outcome.case)).toEqual(["error", "decision"]);
  expect(answered.items[0]?.outcome.value).toMatchObject(ofCall);
});

test("a frame of a stream obeys the limit of a call, and the stream goes on", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  stream.send(2n, { case: "decide", value: { handle, call: asBytes(limits.callValuesMax + 1) } });
  stream.send(3n, { case: "decide", value: { handle, call: asBytes(limits.callValuesMax) } });
  expect(await stream.answer(2n)).toMatchObject({ case: "error", value: ofCall });
  expect(await stream.answer(3n)).toMatchObject({ case: "decided" });
  await stream.end();
});

test("objects as protobuf's Struct may have as many values as a message, and no more", async () => {
  const door = house.clients.decisionsByGrpc;
  expect((await door.decide(asObject(mostAsStruct), { headers })).decisionId).not.toBe("");
  const over = await failure(door.decide(asObject(mostAsStruct + 1), { headers }));
  expect(over.detail).toMatchObject(ofMessage);
  // The call is one record more.
  expect((await door.explain({ call: asObject(mostAsStruct) }, { headers })).verdict).toBeDefined();
  expect((await failure(door.explain({ call: asObject(mostAsStruct + 1) }, { headers }))).detail).toMatchObject(
    ofMessage,
  );
  const half = mostAsStruct / 2;
  const items = (more: number) => ({ items: [asObject(Math.floor(half) - 2), asObject(Math.floor(half) + more)] });
  expect((await door.decideBatch(items(0), { headers })).items).toHaveLength(2);
  expect((await failure(door.decideBatch(items(3), { headers }))).detail).toMatchObject(ofMessage);
});

test("a frame of a stream with too many values ends the stream with the limit", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  const first = stream.ask(2n, { case: "decide", value: { handle, call: asObject(mostAsStruct - 1) } });
  expect(await first).toMatchObject({ case: "decided" });
  const second = stream.ask(3n, { case: "decide", value: { handle, call: asObject(mostAsStruct + 1) } });
  await expect(second).rejects.toMatchObject({
    cause: { rawMessage: `the request holds more than ${limits.messageValuesMax} values` },
  });
});

async function post(method: string, body: object) {
  const response = await fetch(`http://${house.pdp.httpAddress}/remit.v1.DecisionService/${method}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { details?: { debug?: unknown }[] };
  return { status: response.status, detail: answer.details?.[0]?.debug };
}

test.each([
  ["Decide", OWN_IN_JSON, (input: object) => ({ ...named(), input })],
  ["Explain", OWN_IN_JSON + 1, (input: object) => ({ call: { ...named(), input } })],
  ["DecideBatch", OWN_IN_JSON + 2, (input: object) => ({ items: [{ ...named(), input }] })],
])("a body of JSON may have as many values as a message, and no more: %s", async (method, own, body) => {
  const most = limits.messageValuesMax - own;
  expect(await post(method, body(members(most)))).toMatchObject({ status: 200 });
  expect(await post(method, body(members(most + 1)))).toMatchObject({ status: 400, detail: ofMessage });
  const items = (count: number) => ({ a: Array.from({ length: count - 1 }, () => 1) });
  expect(await post(method, body(items(most)))).toMatchObject({ status: 200 });
  expect(await post(method, body(items(most + 1)))).toMatchObject({ status: 400, detail: ofMessage });
});
