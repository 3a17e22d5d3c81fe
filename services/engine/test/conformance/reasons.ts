import type { ConformanceCase } from "./cases.ts";
import type { Outcome } from "./run-case.ts";

/** Why a case does not pass, by a word that stands in the list of exceptions; and what is said of it in the docs. */
export const reasons = {
  messages:
    "Protobuf messages and their enums, wrappers and extensions: what a condition sees is JSON and fixed facts.",
  uint: "Unsigned integers: JSON has none. Refused when the policy is compiled.",
  bytes: "Bytes: JSON has none. Refused when the policy is compiled.",
  optional: "Optional values (`a.?b`, `optional.of`): `present` and `has` ask whether something is there.",
  extension:
    "Functions of extension libraries (strings, math, encoders, sets of bindings, two-variable macros): conditions have the functions of [policy.md](policy.md#functions) and no others.",
  quoted: 'Names in backquotes: `a["b"]` reads any key.',
  container: "Containers and names with dots that are bound as one: there is nothing to resolve in them.",
  environment:
    "Functions and names that the case declares for itself: a condition names facts and known functions alone.",
  types:
    "Across types: equality of different types, and maps with different keys, are unknown instead of false, so that no value of another type passes for one that differs.",
  compiled:
    "What cannot be of the right type is refused when the policy is compiled, also where another side would decide.",
  finite: "Infinity and NaN are unknown: a comparison with what is not a number would pass unseen.",
  exact: "Ints and doubles are compared by their exact value; the official case rounds the int first.",
  span: "The time between two timestamps may be as long as timestamps lie apart; the official case ends at 292 years.",
  named: "`type(x)` answers the name of a type, but `type`, `dyn` and `uint` themselves are no values.",
} as const;

export type Reason = keyof typeof reasons;

const bySection: Readonly<Record<string, Reason>> = {
  bindings_ext: "extension",
  block_ext: "extension",
  encoders_ext: "extension",
  math_ext: "extension",
  string_ext: "extension",
  macros2: "extension",
  optionals: "optional",
  proto2: "messages",
  proto2_ext: "messages",
  proto3: "messages",
  enums: "messages",
  dynamic: "messages",
  wrappers: "messages",
  namespace: "container",
};

const byMessage: readonly (readonly [RegExp, Reason])[] = [
  [/messages are not supported|protobuf messages|unknown name `(msg|TestAllTypes|GlobalEnum)`/, "messages"],
  [/unsigned|unknown function `uint`/, "uint"],
  [/bytes/, "bytes"],
  [/unknown function `(of|none|optional)`/, "optional"],
  [/not a valid condition/, "quoted"],
  [/unknown name `(type|dyn|uint)`/, "named"],
  [/unknown name `a`/, "container"],
  [/unknown (name|function)/, "environment"],
  [/cannot be|between/, "compiled"],
  [/not a finite number/, "finite"],
  [/comparison of|different keys/, "types"],
  [/^span /, "span"],
];

/** The declared difference by which a case does not pass; what happened, where there is none. */
export function reasonOf({ section, expr }: ConformanceCase, { kind, message }: Outcome): string {
  const whole = bySection[section];
  if (whole) return whole;
  const found = byMessage.find(([pattern]) => pattern.test(message))?.[1];
  if (found) return found;
  if (kind === "another" && expr.includes("922337203685477580")) return "exact" satisfies Reason;
  return `NOT EXPLAINED: ${kind}: ${message}: ${expr}`;
}

/** Whether a case that expects an error has it where the condition is refused: not for want of a feature. */
export function isErrorAsExpected(section: string, message: string): boolean {
  if (bySection[section]) return false;
  const lacking: readonly Reason[] = ["messages", "uint", "bytes", "optional", "quoted", "named"];
  const reason = byMessage.find(([pattern]) => pattern.test(message))?.[1];
  return reason === undefined || !lacking.includes(reason);
}
