import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { DecideBatchRequestSchema, DecideRequestSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import type { Fault } from "../../foundation/fault.ts";
import { decodeBinary, decodeJson } from "./decode.ts";

const text = (json: string) => new TextEncoder().encode(json);

function refusal(json: string, schema: typeof DecideRequestSchema | typeof DecideBatchRequestSchema): Fault {
  try {
    decodeJson(schema, text(json));
  } catch (error) {
    return error as Fault;
  }
  throw new Error("it was taken");
}

test("a message reads the same from bytes and from JSON, by either spelling of its fields", () => {
  const message = create(DecideRequestSchema, { callId: "1", tool: "payments.transfer", minRevision: 7n });
  expect(decodeBinary(DecideRequestSchema, toBinary(DecideRequestSchema, message))).toEqual(message);
  expect(decodeJson(DecideRequestSchema, text(toJsonString(DecideRequestSchema, message)))).toEqual(message);
  const snake = '{"call_id": "1", "tool": "payments.transfer", "min_revision": 7}';
  expect(decodeJson(DecideRequestSchema, text(snake))).toEqual(message);
});

test("fields of a later version are dropped from bytes", () => {
  const later = Buffer.concat([
    toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: "1" })),
    Buffer.from([0xf8, 0x3f, 1]),
  ]);
  expect(decodeBinary(DecideRequestSchema, later)).toEqual(create(DecideRequestSchema, { callId: "1" }));
});

test("an unknown member is named with the path that leads to it", () => {
  const fault = refusal(
    '{"items": [{"callId": "1"}, {"callId": "2", "estimate": [{"units": "EUR"}]}]}',
    DecideBatchRequestSchema,
  );
  expect(fault.detail.field).toBe("items[1].estimate[0].units");
  expect(fault.detail.fix).toBe("its fields are unit, value");
});

test("members of the caller's own input are never unknown", () => {
  const json = '{"input": {"anything": {"goes": [1, {"here": null}]}}, "tol": ""}';
  expect(refusal(json, DecideRequestSchema).detail.field).toBe("tol");
});

test("a value of the wrong type names its field", () => {
  expect(refusal('{"wantPermit": "yes"}', DecideRequestSchema).detail.field).toBe("wantPermit");
});

test("what a caller wrote is not quoted at length", () => {
  const fault = refusal(`{"tool": {"x": "${"secret ".repeat(1000)}"}}`, DecideRequestSchema);
  expect(fault.message.length).toBeLessThan(200);
});
