import { expect, test, vi } from "vitest";
import { takeDeadline } from "./connect-deadline.ts";

/** Deadlines that pass when they are told to. */
function played() {
  const watched = new Map<() => void, number>();
  const deadlines = {
    watch: (atMs: number, passed: () => void) => {
      watched.set(passed, atMs);
      return () => void watched.delete(passed);
    },
  };
  return { deadlines, watched };
}

test.each([
  ["application/grpc+proto", "grpc-timeout", "2S", 2_000],
  ["application/grpc-web", "grpc-timeout", "300m", 300],
  ["application/proto", "connect-timeout-ms", "1500", 1_500],
  ["application/connect+json", "connect-timeout-ms", "10", 10],
])("a deadline in %s is taken from the router, and ends the call as the router would", (type, name, value, ms) => {
  vi.setSystemTime(5_000);
  const { deadlines, watched } = played();
  const header = new Headers({ "content-type": type, [name]: value, other: "x" });
  const taken = takeDeadline({ signal: new AbortController().signal }, header, deadlines);
  vi.useRealTimers();
  expect([...header.keys()]).toEqual(["content-type", "other"]);
  expect([taken?.atMs, [...watched.values()]]).toEqual([5_000 + ms, [5_000 + ms]]);
  expect(taken?.signal.aborted).toBe(false);
  for (const passed of watched.keys()) passed();
  expect(taken?.signal.reason).toMatchObject({ name: "ConnectError", rawMessage: "the operation timed out" });
});

test.each([
  ["application/proto", "connect-timeout-ms", "soon"],
  ["application/proto", "connect-timeout-ms", "0"],
  ["application/grpc", "grpc-timeout", "5x"],
  ["application/grpc", "connect-timeout-ms", "1000"],
])("a deadline in %s that is none is left to the router: %s %s", (type, name, value) => {
  const { deadlines, watched } = played();
  const header = new Headers({ "content-type": type, [name]: value });
  expect(takeDeadline({ signal: new AbortController().signal }, header, deadlines)).toBeUndefined();
  expect([header.get(name), watched.size]).toEqual([value, 0]);
});

test("a call whose peer hangs up ends then, and its deadline is forgotten", () => {
  const { deadlines, watched } = played();
  const header = () => new Headers({ "content-type": "application/proto", "connect-timeout-ms": "1000" });
  const peer = new AbortController();
  const taken = takeDeadline({ signal: peer.signal }, header(), deadlines);
  const reason = new Error("gone");
  peer.abort(reason);
  expect([taken?.signal.reason, watched.size]).toEqual([reason, 0]);
  const late = takeDeadline({ signal: peer.signal }, header(), deadlines);
  expect([late?.signal.reason, watched.size]).toEqual([reason, 0]);
});
