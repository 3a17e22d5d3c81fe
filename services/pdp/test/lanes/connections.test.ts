import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema, ExchangeRequestSchema, ExchangeResponseSchema } from "@remit/proto/decision";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hostPort } from "../../src/foundation/address.ts";
import { limits } from "../../src/foundation/limits.ts";
import { MESSAGES_AT_ONCE_MAX } from "../../src/wire/lanes/stream-rules.ts";
import { countTurns, mostInOneTurn } from "../support/turns.ts";
import { BEGUN_AT_ONCE_MAX, type House, openHouse } from "./house.ts";
import { frame, openPeer } from "./http2-peer.ts";

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

/** Asks a hundred times at one moment with an empty body, and counts the answers by their status. */
async function answersToNothing(session: ClientHttp2Session, asked: object, trailer?: string) {
  const answers = Array.from({ length: 100 }, async () => {
    const stream = session.request({ ...asked });
    let told = trailer === undefined;
    const look = (said: IncomingHttpHeaders) => {
      told ||= trailer !== undefined && said[trailer] !== undefined;
    };
    const status = new Promise<number>((resolve) =>
      stream.on("response", (said) => {
        look(said);
        resolve(Number(said[":status"]));
      }),
    );
    stream.on("trailers", look);
    stream.end();
    await ended(stream);
    return told ? await status : `no ${trailer}`;
  });
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(answers)) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

/** The numbers of the answers of a stream. */
function framesOf(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    numbers.push(Number(fromBinary(ExchangeResponseSchema, bytes.subarray(at + 5, end)).frame));
    at = end;
  }
  return numbers;
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

  test("brings many calls at once, and they are begun some a turn, in their order, all of them", async () => {
    const turns = countTurns();
    const cameAt: [callId: string, turn: number][] = [];
    house.toy.whenCall((callId) => cameAt.push([callId, turns.now()]));
    const sessions = Array.from({ length: 4 }, () => connect(`http://${hostPort(at())}`));
    await Promise.all(sessions.map((session) => new Promise((resolve) => session.once("remoteSettings", resolve))));
    const calls = sessions.flatMap((session, of) =>
      Array.from({ length: 200 }, (_, n) => {
        const stream = session.request(headers);
        stream.end(frame(toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: `echo ${of} ${n}` }))));
        return ended(stream);
      }),
    );
    expect(await Promise.all(calls)).toEqual(calls.map(() => 0));
    turns.stop();
    expect(mostInOneTurn(cameAt.map(([, cameIn]) => cameIn))).toBeLessThanOrEqual(BEGUN_AT_ONCE_MAX);
    for (const of of sessions.keys()) {
      const its = cameAt.map(([callId]) => callId).filter((callId) => callId.startsWith(`echo ${of} `));
      expect(its).toEqual(Array.from({ length: 200 }, (_, n) => `echo ${of} ${n}`));
    }
    for (const session of sessions) session.close();
  });

  test("brings calls that follow on others, of which none waits for its turn, and those after them do", async () => {
    const turns = countTurns();
    const cameAt: [callId: string, turn: number][] = [];
    house.toy.whenCall((callId) => cameAt.push([callId, turns.now()]));
    const session = connect(`http://${hostPort(at())}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    house.followed.left = 100;
    const names = Array.from({ length: 200 }, (_, n) => `echo ${n}`);
    const calls = names.map((callId) => {
      const stream = session.request(headers);
      stream.end(frame(toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId }))));
      return ended(stream);
    });
    expect(await Promise.all(calls)).toEqual(calls.map(() => 0));
    turns.stop();
    expect(cameAt.map(([callId]) => callId)).toEqual(names);
    expect(mostInOneTurn(cameAt.map(([, cameIn]) => cameIn))).toBeGreaterThan(BEGUN_AT_ONCE_MAX);
    await vi.waitFor(() => expect(house.followed.ended).toBe(200));
    session.close();
  });

  test("brings calls of which some are given up before they are begun, and those are not begun", async () => {
    const begun: string[] = [];
    house.toy.whenCall((callId) => begun.push(callId));
    const session = connect(`http://${hostPort(at())}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const calls = Array.from({ length: 200 }, (_, n) => {
      const stream = session.request(headers);
      stream.end(frame(toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: `echo ${n}` }))));
      return stream;
    });
    const closed = calls.map(ended);
    // What resets them comes in one piece with what asked.
    for (const stream of calls.slice(100)) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    await Promise.all(closed);
    await new Promise((resolve) => session.ping(resolve));
    expect(begun.length).toBeLessThan(200);
    expect(begun.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, n) => `echo ${n}`));
    session.close();
  });

  test("brings many calls at once that say nothing, and each is answered, though it ended before it was begun", async () => {
    const session = connect(`http://${hostPort(at())}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(await answersToNothing(session, headers, "grpc-status")).toEqual({ 200: 100 });
    session.close();
  });

  test("brings many frames at once, and they are taken some a turn, in their order", async () => {
    const turns = countTurns();
    const cameAt: number[] = [];
    house.toy.whenFrame(() => cameAt.push(turns.now()));
    const numbers = Array.from({ length: 600 }, (_, at) => at + 1);
    const echoes = numbers.map((number) => {
      const body = { case: "decide", value: { handle: 1, call: { callId: "echo" } } } as const;
      return frame(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame: BigInt(number), body })));
    });
    const peer = openPeer(at(), "Exchange");
    peer.stream.end(Buffer.concat(echoes));
    expect(framesOf(Buffer.concat(await peer.stream.toArray()))).toEqual(numbers);
    turns.stop();
    expect(mostInOneTurn(cameAt)).toBeLessThanOrEqual(MESSAGES_AT_ONCE_MAX);
    peer.close();
  });
});

test("many calls of Connect at once that say nothing are answered, though they ended before they were begun", async () => {
  const session = connect(`http://${hostPort(house.http)}`);
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const proto = { ...headers, "content-type": "application/proto" };
  expect(await answersToNothing(session, proto)).toEqual({ 200: 100 });
  expect(house.toy.runs).toHaveLength(100);
  session.close();
});
