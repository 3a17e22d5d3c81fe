import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { grpcMessage, idPlaceholder, idWriter, prepare } from "./prepared.ts";

test("every sending of a prepared frame carries an id of its own and is otherwise the same call", () => {
  const call = create(DecideRequestSchema, { callId: idPlaceholder, tool: "payments.transfer" });
  const { bytes, idsAt } = prepare(grpcMessage(toBinary(DecideRequestSchema, call)));
  const write = idWriter("run7");
  const sent = [0, 1, 2].map(() => {
    for (const at of idsAt) write(bytes, at);
    return fromBinary(DecideRequestSchema, bytes.subarray(5));
  });
  expect(new Set(sent.map((request) => request.callId)).size).toBe(3);
  expect(sent.map((request) => request.callId.length)).toEqual([24, 24, 24]);
  expect(sent.every((request) => request.callId.startsWith("run7-") && request.tool === "payments.transfer")).toBe(
    true,
  );
});

test("ids of different runs differ", () => {
  const [one, two] = [Buffer.alloc(24), Buffer.alloc(24)];
  idWriter("a")(one, 0);
  idWriter("b")(two, 0);
  expect(one.equals(two)).toBe(false);
});

test("a gRPC frame is a zero byte, the length in four bytes, and the message", () => {
  expect([...grpcMessage(Uint8Array.of(7, 8, 9))]).toEqual([0, 0, 0, 0, 3, 7, 8, 9]);
});

test("a body without a placeholder is sent as it is; in a batch every placeholder is found", () => {
  expect(prepare(Buffer.from("plain")).idsAt).toEqual([]);
  expect(prepare(Buffer.from(`a${idPlaceholder}b${idPlaceholder}`)).idsAt).toEqual([1, 26]);
});
