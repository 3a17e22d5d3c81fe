import type { Steps } from "../../compile/steps.ts";
import type { ProblemDetails } from "../../documents/origin.ts";
import type { RuleDocument } from "../../documents/policy.ts";
import type { JsonObject } from "../../json.ts";
import { type CedarApi, withCedar } from "./engine.ts";
import { readAnnotations } from "./read-annotations.ts";
import { tooDeepAt } from "./text-limits.ts";

/** One policy of a source. */
export interface CedarPolicy {
  readonly rule: RuleDocument;
  readonly text: string;
  /** Where it stands in the source. */
  readonly offset: number;
  readonly work: CedarWork;
}

/** Says what is wrong at an offset of one of the document's texts. */
export type SayAt = (offset: number, message: string, details?: ProblemDetails) => void;

/** Whether a text is one that Cedar's parser can be given. */
export function isShallow(text: string, say: SayAt): boolean {
  const deep = tooDeepAt(text);
  if (deep) say(deep.offset, deep.message);
  return !deep;
}

/** Cedar's own errors, at their places: it counts bytes of UTF-8. */
export function sayErrors(
  errors: readonly {
    readonly message: string;
    readonly help: string | null;
    readonly sourceLocations?: readonly { readonly start: number }[];
  }[],
  text: string,
  say: SayAt,
  severity: "error" | "warning" = "error",
): void {
  for (const { message, help, sourceLocations = [] } of errors) {
    const start = sourceLocations[0]?.start ?? 0;
    const offset = Buffer.from(text, "utf8").subarray(0, start).toString("utf8").length;
    // The number that Cedar gives a policy says less than the place.
    const told = sourceLocations.length > 0 ? message.replace(/^for policy `policy\d+`, /, "") : message;
    say(offset, told.slice(0, 1000), { severity, ...(help === null ? {} : { expected: help.slice(0, 500) }) });
  }
}

/** Of taking a source apart, and of reading one policy, in the unit of {@link Steps}. */
const partsCost = 200;
const partCost = 20;

/** The policies of a source, each with the rule that its annotations make of it; undefined after problems were said. */
export function* readPolicies(source: string, say: SayAt): Steps<readonly CedarPolicy[] | undefined> {
  const parts = withCedar(({ api }) => api.policySetTextToParts(source));
  yield partsCost;
  if (parts.type === "failure") {
    sayErrors(parts.errors, source, say);
    return undefined;
  }
  if (parts.policy_templates.length > 0) say(0, "a template, which has slots that nothing here fills");
  if (parts.policies.length === 0) say(0, "no policy");
  const read: (CedarPolicy | undefined)[] = [];
  for (const text of parts.policies) {
    const offset = Math.max(0, source.indexOf(text));
    read.push(withCedar(({ api }) => readOne(api, text, offset, say)));
    yield partCost;
  }
  const policies = read.filter((policy) => policy !== undefined).sort((one, other) => one.offset - other.offset);
  const ids = new Set<string>();
  const twice = policies.filter(({ rule }) => ids.size === ids.add(rule.id).size);
  for (const { rule, offset } of twice) say(offset, `the policy \`${rule.id}\` stands twice`, { code: "name_taken" });
  const whole = parts.policy_templates.length === 0 && twice.length === 0 && policies.length === read.length;
  return whole && policies.length > 0 ? policies : undefined;
}

function readOne(api: CedarApi, text: string, offset: number, say: SayAt): CedarPolicy | undefined {
  const parsed = api.policyToJson(text);
  if (parsed.type === "failure") {
    say(offset, parsed.errors.map(({ message }) => message).join("; "));
    return undefined;
  }
  const { effect, annotations = {} } = parsed.json;
  const texts = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [name, value ?? ""]));
  const shown = typeof texts.id === "string" ? `${texts.id}: ` : "";
  const rule = readAnnotations(effect, texts, (message, details) => say(offset, `${shown}${message}`, details));
  return rule && { rule, text, offset, work: workOf(text) };
}

/** How many steps one evaluation of policies takes beside what its facts cost, and what of it grows with the facts. */
export interface CedarWork {
  readonly steps: number;
  /** Operations that look at whole values: comparisons, and those on sets. */
  readonly wide: number;
  /** Characters of the patterns of `like`. */
  readonly patternChars: number;
}

const stepsPerPolicy = 60;
const stepsPerToken = 10;

/** Bounds the work of a policy by its text: every token is looked at once at most. */
function workOf(text: string): CedarWork {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\w+|[^\s\w]/gs) ?? [];
  const wide = tokens.filter((token) => /^(?:=|in|contains\w*|isEmpty|has\w*|getTag)$/.test(token)).length;
  let patternChars = 0;
  for (const [, pattern = ""] of text.matchAll(/\blike\s*"((?:[^"\\]|\\.)*)"/gs)) patternChars += 1 + pattern.length;
  return { steps: stepsPerPolicy + stepsPerToken * tokens.length, wide, patternChars };
}

/** The work of policies that are asked together. */
export function workOfAll(policies: readonly CedarPolicy[]): CedarWork {
  let [steps, wide, patternChars] = [0, 0, 0];
  for (const { work } of policies) {
    steps += work.steps;
    wide += work.wide;
    patternChars += work.patternChars;
  }
  return { steps, wide, patternChars };
}

/** The JSON of a schema, and whether it parses; undefined after problems were said. */
export function readSchemaText(api: CedarApi, schema: string, say: SayAt): JsonObject | undefined {
  const answer = api.schemaToJsonWithResolvedTypes(schema);
  if (answer.type === "success") return answer.json as unknown as JsonObject;
  sayErrors(answer.errors, schema, say);
  return undefined;
}
