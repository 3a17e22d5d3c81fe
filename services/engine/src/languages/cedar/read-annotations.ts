import { nearestName } from "../../documents/nearest.ts";
import type { ProblemDetails } from "../../documents/origin.ts";
import type { RuleDocument } from "../../documents/policy.ts";
import type { Problem } from "../../documents/problem.ts";
import { readRule } from "../../documents/read-policy.ts";
import { readYaml } from "../../documents/yaml-tree.ts";
import type { JsonObject, JsonValue } from "../../json.ts";

type Say = (message: string, details?: Pick<ProblemDetails, "expected" | "nearest">) => void;
type Read = (text: string) => JsonValue | undefined;

const words: Read = (text) => text;
const list: Read = (text) => text.split(",").map((item) => item.trim());
const whole: Read = (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
const flag: Read = (text) => (text === "true" ? true : undefined);
/** As strictly as documents are read: of a key that stands twice, or a number that is rounded, nobody knows which was meant. */
const json: Read = (text) => {
  const problems: Problem[] = [];
  try {
    const value = JSON.parse(text) as JsonValue;
    readYaml({ file: "", text }, problems);
    return problems.length === 0 ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Every annotation there is: how its text is read, and where it belongs in a rule. */
const annotations: Readonly<Record<string, { readonly read: Read; readonly as: string; readonly in?: string }>> = {
  id: { read: words, as: "text" },
  effect: { read: words, as: "text" },
  message: { read: words, as: "text" },
  remedy: { read: words, as: "text" },
  description: { read: words, as: "text" },
  approvers: { read: list, as: "names with commas between them", in: "approval" },
  quorum: { read: whole, as: "a whole number", in: "approval" },
  expires: { read: words, as: "a duration", in: "approval" },
  summary: { read: words, as: "text", in: "approval" },
  set: { read: json, as: "JSON, each key once and numbers within 2^53 - 1" },
  questions: { read: json, as: "JSON, each key once and numbers within 2^53 - 1" },
  timeout: { read: words, as: "a duration", in: "constraints" },
  maxOutputBytes: { read: whole, as: "a whole number", in: "constraints" },
  redactOutput: { read: list, as: "paths with commas between them", in: "constraints" },
  requireIdempotencyKey: { read: flag, as: "true", in: "constraints" },
};

const permitted = ["allow", "transform", "escalate", "clarify"];

/**
 * What a policy's annotations make of it: a rule of our own. A policy without `@id`, a permit without `@effect`, and an
 * annotation that there is none of are problems: none of them is an allow. Undefined after problems were said.
 */
export function readAnnotations(
  cedarEffect: "permit" | "forbid",
  given: Readonly<Record<string, string>>,
  say: Say,
): RuleDocument | undefined {
  let whole = true;
  const refuse: Say = (message, details) => {
    whole = false;
    say(message, details);
  };
  const rule: Record<string, JsonValue> = { match: { tools: ["*"] } };
  for (const [name, text] of Object.entries(given)) {
    const annotation = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
    const names = Object.keys(annotations);
    if (!annotation) {
      refuse(`unknown annotation @${name}`, { expected: names.join(", "), nearest: nearestName(name, names) });
      continue;
    }
    const value = annotation.read(text);
    if (value === undefined) refuse(`@${name}("${text.slice(0, 100)}")`, { expected: annotation.as });
    else if (!annotation.in) rule[name] = value;
    else rule[annotation.in] = { ...(rule[annotation.in] as JsonObject | undefined), [name]: value };
  }
  if (rule.id === undefined) refuse("a policy without @id", { expected: "a name that decisions give" });
  checkEffect(cedarEffect, given.effect, refuse);
  rule.effect = cedarEffect === "forbid" ? "deny" : (given.effect ?? "allow");
  if (!whole) return undefined;
  return readRule(rule, "", (pointer, message, details) => {
    const where = pointer === "" ? "" : `${pointer.slice(1).replaceAll("/", ".")}: `;
    say(`${where}${message}`, { expected: details?.expected, nearest: details?.nearest });
  });
}

function checkEffect(cedarEffect: "permit" | "forbid", effect: string | undefined, refuse: Say): void {
  if (cedarEffect === "forbid") {
    if (effect !== undefined && effect !== "deny")
      refuse(`a forbid with @effect("${effect}")`, { expected: "a permit" });
    return;
  }
  if (effect === undefined) refuse("a permit without @effect", { expected: permitted.join(", ") });
  else if (!permitted.includes(effect)) {
    refuse(`a permit with @effect("${effect}")`, {
      expected: permitted.join(", "),
      nearest: nearestName(effect, permitted),
    });
  }
}
