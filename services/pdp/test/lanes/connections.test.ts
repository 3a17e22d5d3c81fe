import { type ClientHttp2Stream, connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema } from "@remit/proto/decision";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hostPort } from "../../src/foundation/address.ts";
import { limits } from "../../src/foundation/limits.ts";
import { type House, openHouse } from "./house.ts";
import { frame } from "./http2-peer.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const held = frame(toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: "hold" })));
const headers = {
  ...{ ":method": "POST", ":path": "/remit.v1.DecisionService/Decide" },
  ...{ "content-type": "application/grpc", te: "trailers" },
};

function ended(stream: ClientHttp2Stream): Promise<number> {
  stream.on("error", () => {});
  stream.resume();
  return new Promise((resolve) => stream.on("close", () => resolve(stream.rstCode)));
}

describe.each([
  ["the gRPC lane", () => house.grpc],
  ["gRPC on the Connect port", () => house.http],
] as const)("a connection to %s", (_, at) => {
  test("has so many calls at one time, and one more once one of them has ended", async () => {
    const session = connect(`http://${hostPort(at())}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const calls = Array.from({ length: limits.connectionStreamsMax + 1 }, () => {
      const stream = session.request(headers);
      stream.end(held);
      return ended(stream);
    });
    await vi.waitFor(() => expect(house.toy.runs).toHaveLength(limits.connectionStreamsMax));
    await new Promise((resolve) => session.ping(resolve));
    expect(house.toy.runs).toHaveLength(limits.connectionStreamsMax);
    house.toy.release();
    expect(await Promise.all(calls)).toEqual(calls.map(() => 0));
    expect(house.toy.runs).toHaveLength(limits.connectionStreamsMax + 1);
    session.close();
  });
});
