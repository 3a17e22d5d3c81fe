import { EventEmitter } from "node:events";
import type { TLSSocket } from "node:tls";
import { expect, test, vi } from "vitest";
import { createConnections } from "./connections.ts";

const shown = { kind: "spiffe", id: "spiffe://example.org/clerk" } as const;

/** A connection whose certificate runs out at 100,000 ms, made by who has this fingerprint. */
function connect(anchor: string | null = "A", openedAtMs = 0, cutAfterMs = 5_000) {
  const connections = createConnections(cutAfterMs);
  const socket = Object.assign(new EventEmitter(), { destroy: vi.fn() });
  const notAfterMs = anchor === null ? Number.POSITIVE_INFINITY : 100_000;
  const who = anchor === null ? ({ kind: "nobody" } as const) : shown;
  const client = { shown: who, notAfterMs, anchor: anchor ?? undefined };
  const peer = connections.add(socket as unknown as TLSSocket, client, "127.0.0.1", openedAtMs);
  const leave = vi.fn();
  const stay = peer.whenLeaving(leave);
  return { connections, socket, peer, leave, stay };
}

test("a peer is asked to leave shortly before its certificate runs out, once, and is cut when it has", () => {
  const { connections, socket, peer, leave } = connect();
  connections.look(94_999);
  expect(leave).not.toHaveBeenCalled();
  connections.look(95_000);
  connections.look(99_999);
  expect(leave).toHaveBeenCalledTimes(1);
  expect([peer.withdrawn(), socket.destroy.mock.calls.length]).toEqual([undefined, 0]);
  connections.look(100_000);
  expect(peer.withdrawn()).toContain("run out");
  expect([leave.mock.calls.length, socket.destroy.mock.calls.length]).toEqual([1, 1]);
});

test("one that comes back with the same certificate in its last seconds is not asked again and again", () => {
  const { connections, leave, socket } = connect("A", 96_000);
  connections.look(97_000);
  expect(leave).not.toHaveBeenCalled();
  connections.look(100_001);
  expect(socket.destroy).toHaveBeenCalledTimes(1);
});

test("when an authority goes, what it vouched for counts no more at once, and the connection is cut in time", () => {
  vi.useFakeTimers();
  const { connections, socket, peer, leave } = connect();
  expect(connections.trust(new Set(["A", "B"]))).toBe(0);
  expect(peer.withdrawn()).toBeUndefined();
  expect(connections.trust(new Set(["B"]))).toBe(1);
  expect(connections.trust(new Set(["B"]))).toBe(0);
  expect(peer.withdrawn()).toContain("trusted no more");
  expect(leave).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(4_999);
  expect(socket.destroy).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(socket.destroy).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});

test("who listens later hears it at once; who has stopped listening, and who is gone, hear nothing", () => {
  const { connections, peer, leave, stay, socket } = connect();
  stay();
  const gone = connect();
  gone.socket.emit("close");
  for (const each of [connections, gone.connections]) each.trust(new Set());
  expect([leave.mock.calls.length, gone.leave.mock.calls.length]).toEqual([0, 0]);
  const late = vi.fn();
  peer.whenLeaving(late);
  expect(late).toHaveBeenCalledTimes(1);
  socket.emit("close");
});

test("whoever has shown no certificate is in nobody's way", () => {
  const { connections, peer, socket } = connect(null);
  connections.trust(new Set());
  connections.look(Number.MAX_SAFE_INTEGER);
  expect([peer.withdrawn(), socket.destroy.mock.calls.length]).toEqual([undefined, 0]);
});
