import { isDeepStrictEqual } from "node:util";
import type { RuleRef, Verdict } from "../../src/index.ts";
import type { NaiveVerdict } from "../naive/combined.ts";

/** In what two verdicts differ, by name; nothing if they agree in everything but the words about what is unknown. */
export function differences(engine: Verdict, naive: NaiveVerdict): string[] {
  const wrong: string[] = [];
  const { would } = engine;
  for (const key of [
    "effect",
    "code",
    "retryable",
    "rules",
    "mode",
    "transformedInput",
    "approval",
    "questions",
    "remedy",
  ] as const) {
    if (!isDeepStrictEqual(engine[key], naive[key])) wrong.push(key);
  }
  if (!says(engine.message, naive.message)) wrong.push("message");
  if (!isDeepStrictEqual(normal(engine.constraints), normal(naive.constraints))) wrong.push("constraints");
  const unknowns = engine.unknowns.map(({ rule }) => rule);
  if (naive.unknowns && !sameRefs(unknowns, naive.unknowns)) wrong.push("unknowns");
  if ((would === undefined) !== (naive.would === undefined)) wrong.push("would");
  for (const key of ["effect", "code", "retryable", "rules", "remedy"] as const) {
    if (would && naive.would && !isDeepStrictEqual(would[key], naive.would[key])) wrong.push(`would.${key}`);
  }
  if (would && naive.would && !says(would.message, naive.would.message)) wrong.push("would.message");
  return wrong;
}

function says(message: string, expected: string | readonly string[]): boolean {
  return typeof expected === "string" ? message === expected : expected.some((start) => message.startsWith(start));
}

function sameRefs(some: readonly RuleRef[], others: readonly RuleRef[]): boolean {
  return isDeepStrictEqual(some, others);
}

/** A set of paths has no order. */
function normal(constraints: Verdict["constraints"]): Verdict["constraints"] {
  return constraints.map((one) => (one.name === "redactOutput" ? { ...one, strings: [...one.strings].sort() } : one));
}
