import { request } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { curl, DoorError, type ErrorJson, grpcDoor, jsonDoor } from "./doors.ts";
import { type House, messageBytesMax, openHouse } from "./house.ts";
import { frame, openPeer } from "./http2-peer.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

async function refused(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await curl(house, body, { headers });
  const json = (await response.json()) as ErrorJson;
  expect(house.toy.runs).toEqual([]);
  return { status: response.status, json, detail: json.details?.[0]?.debug };
}

// A length that promises more than there is.
const notAMessage = Buffer.from([0x0a, 0xff, 0xff]);

test.each([grpcDoor, jsonDoor])("bytes that are no message are INVALID_ARGUMENT: %o", async (way) => {
  const door = way(house);
  const error: unknown = await door.decideRaw(notAMessage).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DoorError);
  expect(error).toMatchObject({ code: 3, detail: { reason: "request_invalid" } });
  expect((error as DoorError).message).toContain("remit.v1.DecideRequest");
  door.close();
});

test("bytes that are no message are INVALID_ARGUMENT as gRPC on the Connect port", async () => {
  const peer = openPeer(house.http, "Decide");
  peer.stream.end(frame(notAMessage));
  const trailers = await peer.trailers;
  expect(trailers["grpc-status"]).toBe("3");
  expect(trailers["grpc-status-details-bin"]).toBeTruthy();
  peer.close();
});

test("a curl with a wrong field reads which one, and which there are", async () => {
  const { status, json, detail } = await refused('{"callId": "1", "tol": "payments.transfer"}');
  expect(status).toBe(400);
  expect(json).toMatchObject({ code: "invalid_argument", message: "remit.v1.DecideRequest has no field tol" });
  expect(json.details?.[0]?.type).toBe("remit.v1.ErrorDetail");
  expect(detail).toMatchObject({ reason: "request_invalid", field: "tol" });
  expect(detail?.fix).toContain("callId, tool, input");
});

test.each([
  ['{"estimate": [{"unit": "EUR", "value": "1"}, {"unit": "EUR", "amount": "2"}]}', "estimate[1].amount"],
  ['{"tool": 7}', "tool"],
  ['{"callId": "a", "call_id": "b"}', "callId"],
  ['{"input": {}, "inputJson": ""}', "input"],
  ['{"minRevision": "-1"}', "minRevision"],
])("a curl with %s is told that %s is to blame", async (body, field) => {
  const { status, detail } = await refused(body);
  expect(status).toBe(400);
  expect(detail).toMatchObject({ reason: "request_invalid", field });
});

test.each([
  ["nothing", ""],
  ["half an object", '{"callId": '],
  ["a list", "[]"],
  ["a string", '"x"'],
  ["a key twice", '{"tool": "a", "tool": "b"}'],
  ["a key twice within the input", '{"input": {"a": 1, "a": 2}}'],
  ["text after the object", "{} {}"],
  ["nesting without end", `{"input": ${'{"a":'.repeat(500)}1${"}".repeat(500)}}`],
])("a body that is %s is INVALID_ARGUMENT", async (_, body) => {
  const { status, json, detail } = await refused(body);
  expect(status).toBe(400);
  expect(json.code).toBe("invalid_argument");
  expect(detail?.reason).toBe("request_invalid");
});

test("a body that is not UTF-8 is INVALID_ARGUMENT", async () => {
  const { json } = await refused(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]));
  expect(json).toMatchObject({ code: "invalid_argument", message: "the body is not UTF-8" });
});

test("an integer that JSON readers round is refused, not rounded", async () => {
  const response = await curl(house, '{"callId": "echo", "input": {"amount": 9007199254740993}}');
  const json = (await response.json()) as ErrorJson;
  expect(json.details?.[0]?.debug).toMatchObject({ reason: "number_out_of_range", field: "input.amount" });
});

test("a body over the limit is RESOURCE_EXHAUSTED, with and without a length in front", async () => {
  const body = JSON.stringify({ tool: "x".repeat(messageBytesMax) });
  const known = await refused(body);
  expect(known.status).toBe(429);
  expect(known.detail).toMatchObject({
    reason: "message_too_large",
    limit: `messageBytesMax: ${messageBytesMax} bytes`,
  });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const { host, port } = house.http;
    const path = "/remit.v1.DecisionService/Decide";
    const chunked = request({ host, port, path, method: "POST", headers: { "content-type": "application/json" } });
    chunked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    chunked.on("error", reject);
    chunked.write(body);
    chunked.end();
  });
  expect(status).toBe(429);
});

test("a message far over the limit is RESOURCE_EXHAUSTED on the gRPC lane, and the numbers are named", async () => {
  const door = grpcDoor(house);
  const error: unknown = await door.decideRaw(new Uint8Array(4 * messageBytesMax)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 8 });
  expect((error as DoorError).message).toContain(String(2 * messageBytesMax));
  door.close();
});

test("a compressed body is UNIMPLEMENTED", async () => {
  const { json } = await refused(new Uint8Array(gzipSync("{}")), { "content-encoding": "gzip" });
  expect(json.code).toBe("unimplemented");
});

test("a compressed message of a stream is UNIMPLEMENTED, with a detail", async () => {
  const peer = openPeer(house.http, "Exchange");
  peer.stream.write(frame(new Uint8Array(gzipSync("{}")), 1));
  await peer.readAll();
  const trailers = await peer.trailers;
  expect(trailers["grpc-status"]).toBe("12");
  expect(Buffer.from(String(trailers["grpc-status-details-bin"]), "base64").toString()).toContain("compressed");
  peer.close();
});

test("a curl without a content type is told which to send", async () => {
  const { status, json } = await refused("{}", { "content-type": "application/x-www-form-urlencoded" });
  expect(status).toBe(415);
  expect(json.message).toContain("content-type: application/json");
});

test("a GET is told to POST", async () => {
  const { host, port } = house.http;
  const response = await fetch(`http://${host}:${port}/remit.v1.DecisionService/Decide`);
  expect(response.status).toBe(405);
  expect(await response.json()).toMatchObject({ message: "send this request with POST" });
});

test("a deadline that is no number is INVALID_ARGUMENT", async () => {
  const { json } = await refused("{}", { "connect-timeout-ms": "soon" });
  expect(json.code).toBe("invalid_argument");
});

test("a method that the service does not have implemented is UNIMPLEMENTED on both lanes", async () => {
  const { host, port } = house.http;
  const headers = { "content-type": "application/json" };
  const url = `http://${host}:${port}/remit.v1.DecisionService/Explain`;
  const response = await fetch(url, { method: "POST", body: "{}", headers });
  const json = (await response.json()) as ErrorJson;
  expect(json).toMatchObject({ code: "unimplemented" });
  expect(json.details?.[0]?.debug).toMatchObject({ reason: "not_served" });
  const peer = openPeer(house.grpc, "Explain");
  peer.stream.end(frame(Buffer.alloc(0)));
  expect((await peer.trailers)["grpc-status"]).toBe("12");
  peer.close();
});

test("a peer that breaks off within a body takes nothing with it", async () => {
  const complaints = vi.spyOn(console, "error").mockImplementation(() => {});
  const { host, port } = house.http;
  await new Promise<void>((resolve) => {
    const socket = connect(port, host, () => {
      socket.write(
        "POST /remit.v1.DecisionService/Decide HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        () => socket.destroy(),
      );
    });
    socket.on("close", () => resolve());
  });
  const door = jsonDoor(house);
  expect((await door.decide({ callId: "echo", tool: "still here" })).decisionId).toBe("still here");
  expect(house.lines.filter(([level]) => level === "error")).toEqual([]);
  expect(complaints).not.toHaveBeenCalled();
  complaints.mockRestore();
});
