import type { ToolDocument } from "@remit/engine";
import fc from "fast-check";
import { expect, test } from "vitest";
import { strictObject } from "../foundation/strict-json.ts";
import type { Ask } from "./ask.ts";
import { businessKey, byBusinessKey, byCallId, callKey, requestDigest } from "./call.ts";

const tool = (idempotentOn?: string[]): ToolDocument => ({
  apiVersion: "remit/v1",
  kind: "Tool",
  metadata: { name: "pay" },
  spec: { risk: "write", ...(idempotentOn && { idempotentOn }) },
});
const ask = (input: object, name = "pay") => ({ tool: name, input: strictObject(input, "input") }) as Ask;

test("calls with the same values at the paths of their tool have the same business key, whatever else they hold", () => {
  const pay = tool(["order.id", "amount"]);
  const one = businessKey(pay, ask({ order: { id: "o-1" }, amount: 5, memo: "a" }));
  expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(businessKey(pay, ask({ amount: 5, order: { id: "o-1", at: "now" } }))).toBe(one);
  expect(businessKey(pay, ask({ amount: 6, order: { id: "o-1" } }))).not.toBe(one);
  expect(businessKey(pay, ask({ amount: 5, order: { id: "o-1" } }, "refund"))).not.toBe(one);
});

test("without all of its values a call has no business key and is known by its id", () => {
  expect(businessKey(tool(["order.id"]), ask({ order: {} }))).toBeUndefined();
  expect(businessKey(tool(["order.id"]), ask({ order: ["id"] }))).toBeUndefined();
  expect(businessKey(tool(["constructor"]), ask({}))).toBeUndefined();
  expect(businessKey(tool(), ask({ order: { id: 1 } }))).toBeUndefined();
  expect(businessKey(undefined, ask({}))).toBeUndefined();
});

test("a value that is null or false is a value", () => {
  expect(businessKey(tool(["a"]), ask({ a: null }))).toMatch(/^sha256:/);
});

test("no two attempts, and no id and business key, share a key", () => {
  const names = fc.tuple(fc.constantFrom(byCallId, byBusinessKey), fc.string(), fc.integer({ min: 1, max: 99 }));
  fc.assert(
    fc.property(names, names, ([one, id, attempt], [other, otherId, otherAttempt]) => {
      const same = one === other && id === otherId && attempt === otherAttempt;
      expect(callKey(one(id), attempt).equals(callKey(other(otherId), otherAttempt))).toBe(same);
    }),
  );
});

test("a call is its tool and its input", () => {
  expect(requestDigest("a", "x").equals(requestDigest("a", "x"))).toBe(true);
  expect(requestDigest("a", "x").equals(requestDigest("b", "x"))).toBe(false);
  expect(requestDigest("a", "x").equals(requestDigest("a", "y"))).toBe(false);
});
