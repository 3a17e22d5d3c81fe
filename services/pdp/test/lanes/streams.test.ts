import { create, toBinary } from "@bufbuild/protobuf";
import { ExchangeRequestSchema, type ExchangeResponse } from "@remit/proto/decision";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectH2, type Door, DoorError, grpcDoor, grpcOverConnect, type Wire } from "./doors.ts";
import { type House, messageBytesMax, openHouse, queue } from "./house.ts";
import { frame, openPeer } from "./http2-peer.ts";

const ways: [string, (house: House) => Door][] = [
  ["gRPC", grpcDoor],
  ["Connect over HTTP/2", connectH2],
  ["gRPC on the Connect port", grpcOverConnect],
];

function decide(number: number, callId: string, tool = "") {
  return { frame: BigInt(number), body: { case: "decide", value: { handle: 1, call: { callId, tool } } } } as const;
}

async function failure(work: Promise<unknown>): Promise<DoorError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DoorError);
  return error as DoorError;
}

describe.each(ways)("a stream over %s", (_, way) => {
  let house: House;
  let door: Door;
  const open = (asking = {}): Wire => {
    const wire = door.exchange?.(asking);
    if (!wire) throw new Error("this door has no streams");
    return wire;
  };
  beforeEach(async () => {
    house = await openHouse();
    door = way(house);
  });
  afterEach(async () => {
    door.close();
    await house.close();
  });

  test("answers many frames in flight at once, each by its number", async () => {
    const wire = open();
    wire.send(decide(1, "hold", "first"));
    for (let number = 2; number <= 50; number++) wire.send(decide(number, "echo", `tool ${number}`));
    const answers = new Map<bigint, ExchangeResponse["body"]>();
    while (answers.size < 49) {
      const answer = await wire.next();
      if (answer) answers.set(answer.frame, answer.body);
    }
    expect(answers.has(1n)).toBe(false);
    expect(answers.get(50n)).toMatchObject({ case: "decided", value: { decisionId: "tool 50" } });
    house.toy.release();
    expect((await wire.next())?.frame).toBe(1n);
    wire.halfClose();
    expect(await wire.next()).toBeUndefined();
  });

  test("its headers arrive in the call", async () => {
    const wire = open({ headers: { authorization: "Bearer caller" } });
    wire.send(decide(1, "echo"));
    const answer = await wire.next();
    expect(answer?.body).toMatchObject({ value: { policyDigest: "Bearer caller", transformedTool: door.lane } });
    wire.halfClose();
    expect(await wire.next()).toBeUndefined();
  });

  test("an error of one frame leaves the stream open", async () => {
    const wire = open();
    wire.send(decide(1, "fault:forbidden"));
    const first = await wire.next();
    expect(first?.body).toMatchObject({
      case: "error",
      value: { code: 7, message: "this is forbidden", detail: { reason: "forbidden_reason", field: "tool" } },
    });
    wire.send(decide(2, "echo"));
    expect((await wire.next())?.body.case).toBe("decided");
    wire.halfClose();
    expect(await wire.next()).toBeUndefined();
  });

  test("a half-close lets what is in flight be answered first", async () => {
    const wire = open();
    wire.send(decide(1, "hold"));
    wire.halfClose();
    await house.toy.holding;
    await vi.waitFor(() => expect(house.toy.closedStreams()).toBe(1));
    house.toy.release();
    expect((await wire.next())?.frame).toBe(1n);
    expect(await wire.next()).toBeUndefined();
    expect(house.toy.openStreams()).toBe(0);
  });

  test("a stream refused at its opening ends with the fault and its detail", async () => {
    const wire = open({ headers: { authorization: "nobody" } });
    wire.send(decide(1, "echo"));
    const error = await failure(wire.next());
    expect(error).toMatchObject({ code: 16, message: "nobody may enter", detail: { reason: "token_invalid" } });
  });

  test("the service can end it with a fault", async () => {
    const wire = open();
    wire.send(decide(1, "end"));
    expect(await failure(wire.next())).toMatchObject({ code: 7, detail: { reason: "role_missing" } });
    await vi.waitFor(() => expect(house.toy.openStreams()).toBe(0));
  });

  test("a peer that hangs up aborts the signal and closes the input once", async () => {
    const wire = open();
    wire.send(decide(1, "wait"));
    const next = wire.next().catch(() => "gone");
    await house.toy.holding;
    wire.cancel();
    expect(await next).toBe("gone");
    expect(await house.toy.aborted).toMatchObject({ name: "AbortError" });
    await vi.waitFor(() => expect(house.toy.closedStreams()).toBe(1));
    expect(house.lines).toEqual([]);
  });

  test("at its deadline it ends with DEADLINE_EXCEEDED", async () => {
    const wire = open({ timeoutMs: 50 });
    wire.send(decide(1, "wait"));
    expect((await failure(wire.next())).code).toBe(4);
    expect(await house.toy.aborted).toBeInstanceOf(Error);
  });

  test("a frame over the limit ends it with RESOURCE_EXHAUSTED and names the limit", async () => {
    const wire = open();
    wire.send(decide(1, "echo", "x".repeat(messageBytesMax)));
    const error = await failure(wire.next());
    expect(error).toMatchObject({ code: 8, detail: { reason: "message_too_large" } });
    expect(error.detail?.limit).toContain(String(messageBytesMax));
  });

  test("an answer over the limit ends it with RESOURCE_EXHAUSTED", async () => {
    const wire = open();
    wire.send(decide(1, `big:${messageBytesMax}`));
    expect((await failure(wire.next())).code).toBe(8);
  });
});

describe.each([
  ["gRPC", (house: House) => house.grpc],
  ["gRPC on the Connect port", (house: House) => house.http],
] as const)("a peer of a stream over %s", (_, at) => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());
  const bytes = (number: number, callId: string, tool: string) =>
    frame(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, decide(number, callId, tool))));

  test("that never reads what is pushed loses its stream, and what waited for it is bounded", async () => {
    const peer = openPeer(at(house), "Exchange");
    peer.stream.write(bytes(1, "flood", ""));
    const { taken, reason } = await house.toy.flooded;
    expect(reason).toMatchObject({ kind: "exhausted", reason: "read_too_slowly" });
    const pushedBytes = 16 * 1024;
    const windowAndBuffers = 40;
    expect(taken).toBeLessThanOrEqual(queue.bytesMax / pushedBytes + windowAndBuffers);
    expect(house.toy.closedStreams()).toBe(1);
    await peer.readAll();
    const trailers = await peer.trailers;
    expect(trailers["grpc-status"]).toBe("8");
    expect(trailers["grpc-status-details-bin"]).toBeTruthy();
    peer.close();
  });

  test("that sends without reading is not read either, and gets every answer once it reads", async () => {
    const peer = openPeer(at(house), "Exchange");
    const frames = 1000;
    const tool = "x".repeat(1024);
    for (let number = 1; number <= frames; number++) peer.stream.write(bytes(number, "echo", tool));
    peer.stream.end();
    await vi.waitFor(() => expect(house.toy.openStreams()).toBe(1));
    const read = await peer.readAll();
    expect(read).toBeGreaterThan(frames * tool.length);
    expect((await peer.trailers)["grpc-status"]).toBe("0");
    peer.close();
  });

  test("that sends bytes which are no message gets INVALID_ARGUMENT", async () => {
    const peer = openPeer(at(house), "Exchange");
    peer.stream.write(frame(Buffer.from([0x0a, 0xff, 0xff])));
    await peer.readAll();
    const trailers = await peer.trailers;
    expect(trailers["grpc-status"]).toBe("3");
    expect(trailers["grpc-status-details-bin"]).toBeTruthy();
    peer.close();
  });
});
