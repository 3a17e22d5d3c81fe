import { charSteps, type Frame, spend } from "./frame.ts";
import type { FunctionTable, LiteralProblem } from "./function-table.ts";
import { carriesV4, inRange, isV4Range, parseAddress, parseRange, type Range } from "./ip-address.ts";
import { costFailure, Failure, isList, type Outcome, typeConfusion, type Value } from "./value.ts";

/** What reading an address and comparing it with a range takes. */
const stepsOfOne = 20;
const notAddress = new Failure("error", "not an IP address in its usual form");
const hidden = new Failure("error", "an IPv6 address that may lead to an IPv4 address inside it");

/** Whether an address lies in a range, or in one of a list of ranges. */
function within([text, given]: readonly Value[], frame: Frame): Outcome {
  const ranges = typeof given === "string" ? [given] : given;
  if (typeof text !== "string" || !isList(ranges as Value)) {
    return typeConfusion("ip.within()", text as Value, given as Value);
  }
  if (!spend(frame, stepsOfOne * 2 + charSteps(text.length))) return costFailure;
  // A URL's host has brackets around an IPv6 address.
  const bracketed = text.startsWith("[") && text.endsWith("]") && text.includes(":");
  const address = parseAddress(bracketed ? text.slice(1, -1) : text);
  if (!address) return notAddress;
  let found = false;
  let unsure = false;
  for (const item of ranges as readonly Value[]) {
    if (typeof item !== "string") return typeConfusion("a range", item);
    if (!spend(frame, stepsOfOne + charSteps(item.length))) return costFailure;
    const range = parseRange(item);
    if ("problem" in range) return new Failure("error", range.problem);
    if (inRange(address, range)) found = true;
    else if (isV4Range(range) && carriesV4(address)) unsure = true;
  }
  return found || (unsure ? hidden : false);
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
  "ip.within": { params: [["string"], ["string", "list"]], result: "bool", literal: checkRanges, apply: within },
};
