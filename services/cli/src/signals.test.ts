import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { stopSignal } from "./signals.ts";

function waiting() {
  const source = new EventEmitter() as unknown as NodeJS.Process;
  const state = { nowMs: 0, forced: 0 };
  const stopped = stopSignal(
    source,
    () => state.nowMs,
    () => {
      state.forced++;
    },
  );
  const send = (signal: NodeJS.Signals, atMs: number) => {
    state.nowMs = atMs;
    source.emit(signal, signal);
  };
  return { stopped, state, send };
}

test.each(["SIGINT", "SIGTERM"] as const)("the first %s stops", async (signal) => {
  const { stopped, send } = waiting();
  send(signal, 0);
  expect(await stopped).toBe(signal);
});

test("another one within a second is the same Ctrl-C, a later one forces", async () => {
  const { stopped, state, send } = waiting();
  send("SIGINT", 5_000);
  await stopped;
  send("SIGINT", 5_999);
  expect(state.forced).toBe(0);
  send("SIGINT", 6_000);
  expect(state.forced).toBe(1);
});
