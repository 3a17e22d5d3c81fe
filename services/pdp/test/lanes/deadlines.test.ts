import { connect } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema, ExchangeRequestSchema } from "@remit/proto/decision";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deadlinePassed } from "../../src/wire/lanes/call-scope.ts";
import { curl, type ErrorJson } from "./doors.ts";
import { type House, openHouse } from "./house.ts";
import { frame, openPeer } from "./http2-peer.ts";

// These peers name a deadline and keep no clock of their own, so it is the server that ends the call.

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const deaf = { callId: "deaf" };

describe.each([
  ["the gRPC lane", () => house.grpc],
  ["gRPC on the Connect port", () => house.http],
] as const)("a deadline on %s", (_, at) => {
  test("ends a unary call", async () => {
    const peer = openPeer(at(), "Decide", { "grpc-timeout": "50m" });
    peer.stream.end(frame(toBinary(DecideRequestSchema, create(DecideRequestSchema, deaf))));
    const { "grpc-status": status, "grpc-message": message } = await peer.trailers;
    // In our words: no timer of the transport ends what thousands may have named one moment for.
    expect([status, decodeURIComponent(String(message))]).toEqual(["4", deadlinePassed().message]);
    expect(await house.toy.aborted).toMatchObject({ kind: "timeout", reason: "deadline_exceeded" });
    peer.close();
  });

  test("ends a stream", async () => {
    const peer = openPeer(at(), "Exchange", { "grpc-timeout": "50m" });
    const body = { case: "decide", value: { handle: 1, call: deaf } } as const;
    peer.stream.write(frame(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame: 1n, body }))));
    await peer.readAll();
    const { "grpc-status": status, "grpc-message": message } = await peer.trailers;
    expect([status, decodeURIComponent(String(message))]).toEqual(["4", deadlinePassed().message]);
    expect(await house.toy.aborted).toMatchObject({ kind: "timeout", reason: "deadline_exceeded" });
    expect(house.toy.openStreams()).toBe(0);
    peer.close();
  });
});

test("a deadline of a curl is answered with a detail", async () => {
  const response = await curl(house, JSON.stringify(deaf), { timeoutMs: 50 });
  expect(response.status).toBe(504);
  const json = (await response.json()) as ErrorJson;
  expect(json).toMatchObject({ code: "deadline_exceeded", details: [{ debug: { reason: "deadline_exceeded" } }] });
  expect(await house.toy.aborted).toMatchObject({ kind: "timeout" });
});

test("a body that does not arrive in time is answered, with a detail", async () => {
  const impatient = await openHouse({}, 50);
  const { host, port } = impatient.http;
  const socket = connect(port, host);
  const path = "/remit.v1.DecisionService/Decide";
  const headers = "content-type: application/json\r\ncontent-length: 100";
  socket.write(`POST ${path} HTTP/1.1\r\nhost: ${host}\r\n${headers}\r\n\r\n{`);
  let answer = "";
  for await (const chunk of socket.setEncoding("utf8")) {
    answer += chunk;
    if (answer.includes("body_too_slow")) break;
  }
  expect(answer).toContain("504 Gateway Timeout");
  expect(answer).toContain('"reason":"body_too_slow"');
  socket.destroy();
  await impatient.close();
});
