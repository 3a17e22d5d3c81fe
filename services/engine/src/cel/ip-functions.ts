import { type Frame, spend } from "./frame.ts";
import type { FunctionTable, LiteralProblem } from "./function-table.ts";
import { addressCharsMax, carriesV4, inRange, isV4Range, parseAddress, parseRange, type Range } from "./ip-address.ts";
import { costFailure, Failure, isList, type Outcome, typeConfusion, type Value } from "./value.ts";

/** What reading an address and comparing it with a range takes. */
const stepsOfOne = 20;
const notAddress = new Failure("error", "not an IP address in its usual form");
const hidden = new Failure("error", "an IPv6 address that may lead to an IPv4 address inside it");

/** Whether an address lies in one of the ranges. */
function lies(text: Value, ranges: readonly Range[], frame: Frame): Outcome {
  if (typeof text !== "string") return typeConfusion("ip.within()", text);
  const steps = stepsOfOne * (1 + ranges.length) + 2 * Math.min(text.length, addressCharsMax);
  if (!spend(frame, steps)) return costFailure;
  // A URL's host has brackets around an IPv6 address.
  const bracketed = text.startsWith("[") && text.endsWith("]") && text.includes(":");
  const address = parseAddress(bracketed ? text.slice(1, -1) : text);
  if (!address) return notAddress;
  if (ranges.some((range) => inRange(address, range))) return true;
  return carriesV4(address) && ranges.some(isV4Range) ? hidden : false;
}

/** One range, or a list of them. */
function rangesOf(given: Value): readonly Range[] | Failure {
  const ranges: Range[] = [];
  for (const item of isList(given) ? given : [given]) {
    if (typeof item !== "string") return typeConfusion("a range", item);
    const range = parseRange(item);
    if ("problem" in range) return new Failure("error", range.problem);
    ranges.push(range);
  }
  return ranges;
}

function within([text, given]: readonly Value[], frame: Frame): Outcome {
  const count = isList(given as Value) ? (given as readonly Value[]).length : 1;
  if (!spend(frame, stepsOfOne * count)) return costFailure;
  const ranges = rangesOf(given as Value);
  return ranges instanceof Failure ? ranges : lies(text as Value, ranges, frame);
}

function checkRanges(index: number, value: Value): LiteralProblem | undefined {
  if (index !== 1) return undefined;
  for (const item of isList(value) ? value : [value]) {
    const range: Range | { problem: string; nearest?: string } | undefined =
      typeof item === "string" ? parseRange(item) : { problem: "a range that is no text" };
    if (!("problem" in range)) continue;
    return {
      message: `${range.problem}: \`${String(item)}\``,
      expected: "a range such as 10.0.0.0/8 or fd00::/8",
      nearest: range.nearest,
    };
  }
  return undefined;
}

export const ipFunctions: FunctionTable = {
  "ip.within": {
    params: [["string"], ["string", "list"]],
    result: "bool",
    literal: checkRanges,
    prepare: ([, given]) => {
      const ranges = given === undefined ? undefined : rangesOf(given);
      return !ranges || ranges instanceof Failure ? undefined : ([text], frame) => lies(text as Value, ranges, frame);
    },
    apply: within,
  },
};
