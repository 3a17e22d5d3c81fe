import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hostPort } from "../../src/foundation/address.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { listenForGrpc } from "../../src/server/listen-grpc.ts";
import { createGrpcLane } from "../../src/wire/lanes/grpc.ts";
import { connectH2, type Door, DoorError, grpcDoor, type Wire } from "./doors.ts";
import { createSwitch, type House, messageBytesMax, openHouse } from "./house.ts";

const longMs = 30_000;
const ways: [string, (house: House) => Door, (house: House, graceMs: number) => Promise<unknown>][] = [
  [
    "the gRPC lane and its listener",
    grpcDoor,
    (house, graceMs) => Promise.all([house.grpcLane.drain(graceMs), house.grpcListener.close(graceMs)]),
  ],
  [
    "the Connect lane and its listener",
    connectH2,
    (house, graceMs) => Promise.all([house.connectLane.drain(graceMs), house.listener.close(graceMs)]),
  ],
];

describe.each(ways)("draining %s", (_, way, drain) => {
  let house: House;
  let door: Door;
  beforeEach(async () => {
    house = await openHouse();
    door = way(house);
  });
  afterEach(async () => {
    door.close();
    await house.close();
  });
  const opened = async (callId: string): Promise<Wire> => {
    const wire = door.exchange?.();
    if (!wire) throw new Error("this door has no streams");
    wire.send({ frame: 1n, body: { case: "decide", value: { handle: 1, call: { callId } } } });
    return wire;
  };

  test("answers the unary call in flight, tells the stream, lets it end by itself, accepts nothing new", async () => {
    const wire = await opened("echo");
    expect((await wire.next())?.body.case).toBe("decided");
    const asked = door.decide({ callId: "hold", tool: "in flight" });
    await house.toy.holding;
    const drained = drain(house, longMs);
    expect((await wire.next())?.body).toMatchObject({ case: "notice", value: { body: { case: "reconnect" } } });

    const late = way(house);
    await expect(late.decide({ callId: "echo" })).rejects.toThrow();
    late.close();

    // What the stream had been asked before it ends is still answered.
    wire.send({ frame: 2n, body: { case: "decide", value: { handle: 1, call: { callId: "echo", tool: "still" } } } });
    expect((await wire.next())?.body).toMatchObject({ value: { decisionId: "still" } });
    wire.halfClose();
    expect(await wire.next()).toBeUndefined();
    house.toy.release();
    expect((await asked).decisionId).toBe("in flight");
    await drained;
  });

  test("cuts a stream that stays, with a reason, and then is done", async () => {
    const wire = await opened("wait");
    await house.toy.holding;
    const drained = drain(house, 400);
    expect((await wire.next())?.body).toMatchObject({ case: "notice", value: { body: { case: "reconnect" } } });
    const error: unknown = await wire.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DoorError);
    expect(error).toMatchObject({ code: 14, detail: { reason: "draining", retryable: true } });
    expect(await house.toy.aborted).toMatchObject({ reason: "draining" });
    expect(house.toy.openStreams()).toBe(0);
    await drained;
  });

  test("drops a call that never ends once the grace is over", async () => {
    const asked = door.decide({ callId: "deaf" }).catch(() => "dropped");
    await house.toy.holding;
    await drain(house, 20);
    expect(await asked).toBe("dropped");
    expect(await house.toy.aborted).toMatchObject({ name: "AbortError" });
  });

  test("is done at once when nothing is in flight", async () => {
    await door.decide({ callId: "echo" });
    await drain(house, longMs);
  });
});

test("a busy port is a clear error that names the address and the variable", async () => {
  const house = await openHouse();
  const opening = listenForGrpc({
    address: house.grpc,
    variable: "REMIT_GRPC_ADDRESS",
    lane: house.grpcLane,
    log: silentLog,
  });
  await expect(opening).rejects.toMatchObject({
    kind: "precondition",
    message: `${hostPort(house.grpc)} is in use by another process (REMIT_GRPC_ADDRESS)`,
    detail: { field: "REMIT_GRPC_ADDRESS" },
  });
  await house.close();
});

test("a lane that nobody connected to drains", async () => {
  const lane = createGrpcLane({ services: [], health: createSwitch(), log: silentLog, messageBytesMax });
  await lane.drain(longMs);
});
