import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FaultKind } from "../../src/foundation/fault.ts";
import { connectH2, type Door, DoorError, grpcDoor, grpcOverConnect, grpcWeb, jsonDoor } from "./doors.ts";
import { type House, messageBytesMax, openHouse } from "./house.ts";

const kinds: [FaultKind, number][] = [
  ["invalid", 3],
  ["timeout", 4],
  ["missing", 5],
  ["conflict", 6],
  ["forbidden", 7],
  ["exhausted", 8],
  ["precondition", 9],
  ["aborted", 10],
  ["unimplemented", 12],
  ["internal", 13],
  ["unavailable", 14],
  ["unauthenticated", 16],
];

const ways: ((house: House) => Door)[] = [grpcDoor, jsonDoor, connectH2, grpcOverConnect, grpcWeb];

describe.each(ways)("%o", (way) => {
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

  const failure = async (work: Promise<unknown>): Promise<DoorError> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DoorError);
    return error as DoorError;
  };

  test("a request is answered, and its headers arrive in the call", async () => {
    const headers = { authorization: "Bearer caller", "remit-session": "token", traceparent: "00-aa-bb-01" };
    const answer = await door.decide({ callId: "echo", tool: "payments.transfer" }, { headers });
    expect(answer).toMatchObject({
      decisionId: "payments.transfer",
      policyDigest: "Bearer caller",
      permit: "token",
      traceId: "00-aa-bb-01",
      revision: 0n,
      transformedTool: door.lane,
    });
  });

  test("what was not said is undefined in the call", async () => {
    const answer = await door.decide({ callId: "echo", tool: "t" });
    expect(answer).toMatchObject({ policyDigest: "none", permit: "none", traceId: "none" });
  });

  test.each(kinds)("a fault of kind %s arrives with its code and detail", async (kind, code) => {
    const error = await failure(door.decide({ callId: `fault:${kind}` }));
    expect(error.code).toBe(code);
    expect(error.message).toBe(`this is ${kind}`);
    const retryable = kind === "unavailable" || kind === "exhausted" || kind === "timeout";
    expect(error.detail).toMatchObject({
      reason: `${kind}_reason`,
      field: "tool",
      limit: "3 tools",
      fix: "ask for less",
      retryable,
    });
  });

  test("an error that is no fault shows nothing of itself and is logged", async () => {
    const error = await failure(door.decide({ callId: "boom" }));
    expect(error.code).toBe(13);
    expect(error.message).not.toContain("private");
    expect(error.detail?.reason).toBe("internal");
    const [level, fields] = house.lines[0] ?? [];
    expect(level).toBe("error");
    expect(String(fields?.err)).toContain("swordfish");
  });

  test("a message that quotes nonsense arrives shortened and well formed", async () => {
    const error = await failure(door.decide({ callId: "quote" }));
    expect(error.code).toBe(3);
    expect(error.message).toMatch(/^\ufffd 100% é+…$/);
    expect(error.message.length).toBeLessThanOrEqual(1000);
    expect(error.detail?.field).toBe("\ufffd");
  });

  test("a method that the service does not implement is UNIMPLEMENTED with a reason", async () => {
    const error = await failure(door.decide({ callId: "fault:unimplemented" }));
    expect(error.code).toBe(12);
  });

  test("a request over the limit is RESOURCE_EXHAUSTED and names the limit", async () => {
    const error = await failure(door.decide({ callId: "echo", tool: "x".repeat(messageBytesMax) }));
    expect(error.code).toBe(8);
    expect(error.detail).toMatchObject({
      reason: "message_too_large",
      retryable: false,
      limit: `messageBytesMax: ${messageBytesMax} bytes`,
    });
    expect(house.toy.runs).toEqual([]);
  });

  test("an answer over the limit is RESOURCE_EXHAUSTED", async () => {
    const error = await failure(door.decide({ callId: `big:${messageBytesMax}` }));
    expect(error.code).toBe(8);
    expect(error.message).toContain(String(messageBytesMax));
    expect(error.detail).toMatchObject({ reason: "message_too_large", retryable: false });
  });

  test("a long answer arrives whole, and the next one on the same connection as well", async () => {
    for (const length of [messageBytesMax - 1_000, 10, messageBytesMax - 999]) {
      const answer = await door.decide({ callId: `big:${length}`, tool: "t" });
      expect([answer.decisionId, answer.permit]).toEqual(["t", "x".repeat(length)]);
    }
  });

  test("a deadline arrives in the call", async () => {
    const before = Date.now();
    const { revision } = await door.decide({ callId: "echo" }, { timeoutMs: 30_000 });
    expect(Number(revision)).toBeGreaterThan(before + 20_000);
    expect(Number(revision)).toBeLessThanOrEqual(Date.now() + 30_000);
  });

  test("at the deadline the signal is aborted, and the answer is DEADLINE_EXCEEDED though the service is deaf", async () => {
    const error = await failure(door.decide({ callId: "deaf" }, { timeoutMs: 50 }));
    expect(error.code).toBe(4);
    // Which of the two it was, the client's hanging up at its deadline or ours, is a race; the tests of deadlines decide it.
    expect(await house.toy.aborted).toBeInstanceOf(Error);
  });

  test("a caller that hangs up aborts the signal, and nothing is logged", async () => {
    const hangUp = new AbortController();
    const asked = door.decide({ callId: "wait" }, { signal: hangUp.signal }).catch(() => "gone");
    await house.toy.holding;
    hangUp.abort();
    expect(await asked).toBe("gone");
    expect(await house.toy.aborted).toMatchObject({ name: "AbortError" });
    expect(house.lines).toEqual([]);
  });
});
