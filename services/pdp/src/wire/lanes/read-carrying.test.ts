import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  DecideBatchRequestSchema,
  type DecideRequest,
  DecideRequestSchema,
  ExchangeRequestSchema,
  ExplainRequestSchema,
} from "@remit/proto/decision";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCarrying } from "./read-carrying.ts";

const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 8 });
const bytes = fc.uint8Array({ maxLength: 20 });

const input = fc.oneof(
  object.map((value) => ({ case: "inputObject" as const, value: value as JsonObject })),
  bytes.map((value) => ({ case: "inputJson" as const, value })),
);
const context = fc.oneof(
  object.map((value) => ({ case: "contextObject" as const, value: value as JsonObject })),
  fc.constant({ case: undefined }),
);
const request = fc
  .record({ callId: fc.string(), tool: fc.string(), input, context, wantPermit: fc.boolean() })
  .map((fields) => create(DecideRequestSchema, fields as never) as DecideRequest);

const asLibrary = <Schema extends Parameters<typeof fromBinary>[0]>(schema: Schema, encoded: Uint8Array) =>
  expect(readCarrying(schema, encoded)).toEqual(fromBinary(schema, encoded, { readUnknownFields: false }));

describe("a message that carries calls", () => {
  it("is read as the library reads it, wherever its calls stand", () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 3 }), ([first, ...others]) => {
        const items = first ? [first, ...others] : others;
        for (const item of items) asLibrary(DecideRequestSchema, toBinary(DecideRequestSchema, item));
        asLibrary(
          DecideBatchRequestSchema,
          toBinary(DecideBatchRequestSchema, create(DecideBatchRequestSchema, { items })),
        );
        if (!first) return;
        asLibrary(ExplainRequestSchema, toBinary(ExplainRequestSchema, create(ExplainRequestSchema, { call: first })));
        const body = { case: "decide" as const, value: { handle: 3, call: first } };
        const frame = create(ExchangeRequestSchema, { frame: 7n, body });
        asLibrary(ExchangeRequestSchema, toBinary(ExchangeRequestSchema, frame));
      }),
    );
  });

  it("has the last of several inputs, and what is said in parts together", () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 2, maxLength: 4 }), (requests) => {
        const encoded = requests.map((one) => toBinary(DecideRequestSchema, one));
        asLibrary(DecideRequestSchema, new Uint8Array(Buffer.concat(encoded)));
      }),
    );
  });

  it("keeps a member that is called as the prototype is", () => {
    const call = create(DecideRequestSchema, {
      input: { case: "inputObject", value: JSON.parse('{"__proto__": {"a": 1}}') },
    });
    const { value } = (readCarrying(DecideRequestSchema, toBinary(DecideRequestSchema, call)) as DecideRequest).input;
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1}}');
  });

  it.each([
    ["a part that is longer than the whole", "1a05 0a0a 0a01 61"],
    ["a value of another type", "1a0a 0a08 0a01 6112 0312 01"],
    ["a value that is two", "1a0b 0a09 0a01 6112 0420 0120 00"],
    ["text that is no UTF-8", "1a09 0a07 0a01 ff12 0220 01"],
  ])("is refused for %s", (_what, hex) => {
    expect(() => readCarrying(DecideRequestSchema, Buffer.from(hex.replaceAll(" ", ""), "hex"))).toThrow();
  });

  it("is refused when it is nested without end", () => {
    let deep: JsonObject = {};
    for (let at = 0; at < 120; at++) deep = at % 2 === 0 ? { a: deep } : { a: [deep] };
    const call = create(DecideRequestSchema, { input: { case: "inputObject", value: deep } });
    expect(() => readCarrying(DecideRequestSchema, toBinary(DecideRequestSchema, call))).toThrow("nested deeper");
  });
});
