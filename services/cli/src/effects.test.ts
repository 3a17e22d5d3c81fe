import { Effect } from "@remit/proto/common";
import { expect, test } from "vitest";
import { effectWord, mayRun } from "./effects.ts";

test("every effect has its word", () => {
  const effects = [Effect.ALLOW, Effect.TRANSFORM, Effect.ESCALATE, Effect.CLARIFY, Effect.DENY];
  expect(effects.map(effectWord)).toEqual(["allow", "transform", "escalate", "clarify", "deny"]);
});

test("an effect that is missing or not known is a deny", () => {
  expect(effectWord(Effect.UNSPECIFIED)).toBe("deny");
  expect(effectWord(99 as Effect)).toBe("deny");
});

test("only an allowed or a transformed call may run", () => {
  expect((["allow", "transform", "escalate", "clarify", "deny"] as const).filter(mayRun)).toEqual([
    "allow",
    "transform",
  ]);
});
