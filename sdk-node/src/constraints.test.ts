import { expect, test } from "vitest";
import { outputBytes, runLimits } from "./constraints.ts";

test("of several constraints of one name the narrowest counts", () => {
  const constraints = [
    { name: "timeout", value: { durationMs: 500 } },
    { name: "timeout", value: { durationMs: 200 } },
    { name: "maxOutputBytes", value: { integer: 9n } },
  ];
  expect(runLimits(constraints)).toEqual({ timeoutMs: 200, outputBytesMax: 9 });
  expect(runLimits([])).toEqual({ timeoutMs: undefined, outputBytesMax: undefined });
});

test("an output is measured as what it is: text, bytes, or JSON", () => {
  expect(outputBytes("é")).toBe(2);
  expect(outputBytes(new Uint8Array(7))).toBe(7);
  expect(outputBytes(new ArrayBuffer(3))).toBe(3);
  expect(outputBytes({ a: 1 })).toBe(7);
  expect(outputBytes({})).toBe(2);
  expect(outputBytes(null)).toBe(4);
  expect(outputBytes(undefined)).toBe(0);
});

test("what has no size has none: streams, maps, functions, cycles", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const output of [new ReadableStream(), new Map([[1, 2]]), () => 1, cycle, 1n]) {
    expect(outputBytes(output)).toBeUndefined();
  }
});
