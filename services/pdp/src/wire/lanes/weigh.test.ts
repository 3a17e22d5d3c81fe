import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  DecideBatchRequestSchema,
  DecideRequestSchema,
  ExchangeRequestSchema,
  ReportRequestSchema,
} from "@remit/proto/decision";
import { GetSessionRequestSchema } from "@remit/proto/session";
import { expect, test } from "vitest";
import { decodeBinary, decodeJson } from "./decode.ts";
import { carriesValues, quartersOf } from "./weigh.ts";

const carrying = (input: JsonObject) =>
  toBinary(
    DecideRequestSchema,
    create(DecideRequestSchema, { callId: "c", tool: "t", input: { case: "inputObject", value: input } }),
  );
// The call id, the tool and the input itself.
const OWN = 3;

test("messages that carry calls are known by their fields", () => {
  for (const schema of [DecideRequestSchema, DecideBatchRequestSchema, ExchangeRequestSchema]) {
    expect(carriesValues(schema)).toBe(true);
  }
  expect(carriesValues(ReportRequestSchema)).toBe(false);
  expect(carriesValues(GetSessionRequestSchema)).toBe(false);
});

test.each([
  [{ a: 1, b: null, c: "x" }, 3],
  [{ a: [1, 2, 3] }, 4],
  [{ a: [[[[1]]]] }, 5],
  [{ a: { b: { c: true } } }, 3],
])("members and items are four quarters each: %j", (input, values) => {
  expect(quartersOf(DecideRequestSchema, carrying(input), 1_000)).toBe(OWN + 4 * values);
});

test("a message of many records is refused before it is decoded, whatever they are", () => {
  const empty = Buffer.alloc(20_000, Buffer.from([0x2a, 0x00]));
  expect(() => decodeBinary(DecideRequestSchema, empty, 2_000)).toThrow("more than 2000 values");
  const unknown = Buffer.alloc(20_000, Buffer.from([0x78, 0x01]));
  expect(() => decodeBinary(DecideRequestSchema, unknown, 2_000)).toThrow("more than 2000 values");
});

test("bytes that are no message are refused in the decoder's words", () => {
  const cut = carrying({ a: Array.from({ length: 500 }, (_, at) => at) }).subarray(0, 3_000);
  expect(() => decodeBinary(DecideRequestSchema, cut, 2_000)).toThrow("the bytes are not a remit.v1.DecideRequest");
});

test("JSON is counted before it is parsed, so that what is no JSON may be too much as well", () => {
  expect(() => decodeJson(DecideRequestSchema, Buffer.from("[".repeat(2_001)), 2_000)).toThrow("more than 2000 values");
  expect(() => decodeJson(DecideRequestSchema, Buffer.from("[".repeat(2_000)), 2_000)).toThrow("not JSON");
});
