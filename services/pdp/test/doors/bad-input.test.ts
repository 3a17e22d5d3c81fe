import { connect } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly detail: {
    readonly reason?: string;
    readonly field?: string;
    readonly limit?: string;
    readonly fix?: string;
  };
}

/** Posts a body as it is, by HTTP alone: what a curl or a broken client would send. */
async function post(method: string, body: string | Uint8Array, more: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`http://${house.pdp.httpAddress}/remit.v1.${method}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", ...more },
    body: body as NonNullable<RequestInit["body"]>,
  });
  const answer = (await response.json()) as {
    code?: string;
    message?: string;
    details?: { debug?: Answer["detail"] }[];
  };
  const { code, message } = answer;
  const detail = answer.details?.[0]?.debug ?? {};
  return { status: response.status, detail, ...(code && { code }), ...(message && { message }) };
}

let calls = 0;
const decide = (body: unknown) =>
  post("DecisionService/Decide", typeof body === "string" ? body : JSON.stringify(body));
const call = (input: string, rest = "") => `{"callId":"c-${++calls}","tool":"invoices.read","input":${input}${rest}}`;
const bytes = (text: string) => ({
  callId: `bytes-${++calls}`,
  tool: "invoices.read",
  inputJson: Buffer.from(text, "latin1").toString("base64"),
});

test.each([
  ["malformed JSON", "{", undefined],
  ["a field nobody knows", '{"callId":"a","tool":"t","input":{},"inptu":{}}', undefined],
  ["a wrong type", '{"callId":7,"tool":"t","input":{}}', undefined],
  ["no call id", '{"tool":"t","input":{}}', "call_id"],
  ["no tool", '{"callId":"a","input":{}}', "tool"],
  ["no input", '{"callId":"a","tool":"t"}', "input"],
  ["an estimate below zero", call("{}", ',"estimate":[{"unit":"EUR","value":"-1"}]'), "estimate[0].value"],
  ["an estimate that is no number", call("{}", ',"estimate":[{"unit":"EUR","value":"NaN"}]'), "estimate[0].value"],
  ["an over-precise estimate", call("{}", ',"estimate":[{"unit":"EUR","value":"0.0000001"}]'), "estimate[0].value"],
  ["a unit that is none", call("{}", ',"estimate":[{"unit":"e u r","value":"1"}]'), "estimate[0].unit"],
  ["an approval id that is none", call("{}", ',"approvalId":"x"'), "approval_id"],
])("%s is an error that names the field", async (_what, body, field) => {
  const answer = await decide(body);
  expect(answer).toMatchObject({ status: 400, code: "invalid_argument" });
  if (field) expect(answer.detail).toMatchObject({ reason: "request_invalid", field });
});

test("a key twice in one object is refused: two readers could read it differently", async () => {
  const answer = await decide(bytes('{"amount":1,"amount":1000000}'));
  expect(answer).toMatchObject({ status: 400, detail: { reason: "request_invalid", field: "input" } });
  expect(answer.message).toContain("same key twice");
});

test.each([
  ["an integer beyond 2^53−1", '{"a":{"b":[1,9007199254740993]}}', "input.a.b[1]"],
  ["an integer far below", '{"n":-90071992547409930}', "input.n"],
  ["a number too large for a double", '{"n":1e999}', "input.n"],
])("%s is out of range, and its place is named", async (_what, text, field) => {
  expect(await decide(bytes(text))).toMatchObject({ status: 400, detail: { reason: "number_out_of_range", field } });
});

test("the largest safe integer passes", async () => {
  expect(await decide(bytes('{"n":9007199254740991}'))).toMatchObject({ status: 200 });
});

test.each([
  ["NaN", '{"n":NaN}'],
  ["a lone surrogate", '{"s":"\\ud800"}'],
  ["bytes that are not UTF-8", '{"s":"\xff"}'],
  ["a list", "[1]"],
  ["two objects", "{}{}"],
  ["nothing", ""],
])("%s as input bytes is refused", async (_what, text) => {
  expect(await decide(bytes(text))).toMatchObject({
    status: 400,
    detail: { reason: "request_invalid", field: "input" },
  });
});

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

test("input may be as deep as the limit and no deeper", async () => {
  expect(await decide(bytes(nested(limits.jsonDepthMax)))).toMatchObject({ status: 200 });
  const answer = await decide(bytes(nested(limits.jsonDepthMax + 1)));
  expect(answer).toMatchObject({ status: 400, detail: { reason: "request_invalid", field: "input" } });
  expect(answer.message).toContain(`${limits.jsonDepthMax} levels`);
});

test("input and context may be as long as the limit together, and no longer", async () => {
  const filler = (length: number) => `{"s":"${"x".repeat(length)}"}`;
  const frame = filler(0).length * 2 + "{}".length;
  const atLimit = (over: number) => ({
    callId: `long-${over}`,
    tool: "invoices.read",
    inputJson: Buffer.from(filler(limits.callBytesMax - frame - 100 + over)).toString("base64"),
    context: { s: "x".repeat(100) },
  });
  expect(await decide(atLimit(0))).toMatchObject({ status: 200 });
  const answer = await decide(atLimit(1));
  expect(answer).toMatchObject({
    status: 400,
    detail: { reason: "request_invalid", limit: `${limits.callBytesMax} bytes` },
  });
});

test("a message beyond its limit is refused before it is read", async () => {
  const answer = await post("DecisionService/Decide", "x".repeat(limits.messageBytesMax + 1));
  expect(answer).toMatchObject({ code: "resource_exhausted" });
  expect(JSON.stringify(answer)).toContain(String(limits.messageBytesMax));
});

test("a call id may be as long as the limit and no longer", async () => {
  const named = (length: number) => ({ callId: "i".repeat(length), tool: "invoices.read", input: {} });
  expect(await decide(named(limits.callIdBytesMax))).toMatchObject({ status: 200 });
  expect(await decide(named(limits.callIdBytesMax + 1))).toMatchObject({
    status: 400,
    detail: { field: "call_id", limit: `${limits.callIdBytesMax} bytes` },
  });
});

test("a call id may hold what no text column takes", async () => {
  expect(await decide({ callId: "a\u0000b", tool: "invoices.read", input: { s: "\u0000" } })).toMatchObject({
    status: 200,
  });
});

test("keys that are names of the language are plain data", async () => {
  const answer = await decide(bytes('{"__proto__":{"amount":1},"constructor":{"prototype":1}}'));
  expect(answer).toMatchObject({ status: 200 });
});

test("a batch is bounded", async () => {
  const items = Array.from({ length: limits.batchItemsMax + 1 }, (_, at) => ({
    callId: `b${at}`,
    tool: "t",
    input: {},
  }));
  expect(await post("DecisionService/DecideBatch", JSON.stringify({ items }))).toMatchObject({
    status: 400,
    detail: { field: "items", limit: `${limits.batchItemsMax} items` },
  });
  expect(await post("DecisionService/DecideBatch", '{"items":[]}')).toMatchObject({ status: 400 });
});

test("bytes that are no protobuf are INVALID_ARGUMENT on the gRPC lane", async () => {
  const client = connect(`http://${house.pdp.grpcAddress}`);
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, 3]), Buffer.from([0xff, 0xff, 0xff])]);
  const status = await new Promise((resolve, reject) => {
    const stream = client.request({
      ":method": "POST",
      ":path": "/remit.v1.DecisionService/Decide",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("response", (response) => response["grpc-status"] && resolve(response["grpc-status"]));
    stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
    stream.on("error", reject);
    stream.end(frame);
    stream.resume();
  });
  client.close();
  expect(status).toBe("3");
});

test("a path that nobody serves is not found, and a method that is not POST is not allowed", async () => {
  const base = `http://${house.pdp.httpAddress}`;
  expect((await fetch(`${base}/remit.v1.DecisionService/Nothing`, { method: "POST" })).status).toBe(404);
  expect((await fetch(`${base}/remit.v1.DecisionService/Decide`)).status).toBe(405);
});
