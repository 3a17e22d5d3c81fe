import type { JsonObject, JsonValue, ToolDocument } from "@remit/engine";
import { literal } from "./cel-text.ts";
import type { DraftPolicy, NamedRule } from "./draft.ts";
import { type Compiled, type Engine, factsOf } from "./facts.ts";
import { masked } from "./redacted.ts";
import type { SeenCall } from "./seen-call.ts";
import { flow, scalar } from "./yaml-text.ts";

const EXAMPLES_MAX = 3;
const BROKEN_MAX = 60;
/** What is longer or deeper is no example for people. */
const CHARS_MAX = 4000;
const DEPTH_MAX = 12;
const NAME_CHARS_MAX = 160;
/** A document may be twice as long. */
const DOCUMENT_CHARS_MAX = 500_000;

interface Case {
  readonly name: string;
  readonly call: SeenCall;
  readonly effect: "allow" | "deny";
}

function depthOf(value: JsonValue): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((inner: JsonValue) => depthOf(inner)));
}

const fits = ({ input, context }: SeenCall) =>
  flow(input).length + flow(context).length <= CHARS_MAX && depthOf(input) <= DEPTH_MAX;

/** Calls spread over all that were seen. */
function spread(calls: readonly SeenCall[]): SeenCall[] {
  const step = Math.max(1, Math.floor(calls.length / EXAMPLES_MAX));
  return calls.filter((_, at) => at % step === 0).slice(0, EXAMPLES_MAX);
}

/** For every condition, calls that differ from a seen one in what it asks; `denied` tells whether they are stopped. */
function brokenCases({ rule }: NamedRule, calls: readonly SeenCall[], denied: (call: SeenCall) => boolean): Case[] {
  const cases = rule.conditions.flatMap((condition) => {
    for (const call of calls) {
      const broken = condition.breaks(call.input).map((input) => ({ ...call, input: input as JsonObject }));
      const stopped = broken.filter(denied);
      if (stopped.length === 0) continue;
      return stopped.map((one): Case => ({ name: `stopped: ${condition.stops.trim()}`, call: one, effect: "deny" }));
    }
    return [];
  });
  return cases.slice(0, BROKEN_MAX);
}

/** What a case must state beside its input. */
interface Stated {
  readonly context: boolean;
  readonly principal: boolean;
}

function caseText({ name, call, effect }: Case, stated: Stated): string {
  const { tool, agent, principal, input, context } = call;
  const asks = [
    `tool: ${literal(tool)}`,
    `input: ${flow(input)}`,
    ...(stated.context ? [`context: ${flow(context)}`] : []),
  ];
  const whom = stated.principal ? `, principal: { id: ${literal(principal)} }` : "";
  const by = `agent: { id: ${literal(agent.id)}, labels: ${flow(agent.labels)} }${whom}`;
  const short = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX).toWellFormed()} …` : name;
  return [
    `    - name: ${literal(short)}`,
    `      given: { ${by}, call: { ${asks.join(", ")} } }`,
    `      expect: { effect: ${effect} }`,
    "",
  ].join("\n");
}

export interface Testing {
  readonly engine: Engine;
  /** As they are registered. */
  readonly tools: ReadonlyMap<string, ToolDocument>;
  /** The paths of a tool's calls that are not for readers. */
  readonly redacted: (tool: string) => readonly string[];
  /** The policy beside its tools, and beside tools of which nothing is known. */
  readonly compiled: Compiled;
  readonly bare: Compiled;
}

function casesOf(policy: DraftPolicy, named: NamedRule, { engine, redacted, compiled, bare }: Testing): Case[] {
  const effectOf = (call: SeenCall) => engine.evaluate(bare, factsOf(call)).effect;
  const calls = named.rule.examples
    .map((call) => masked(call, redacted(named.rule.tool)))
    .filter((call) => fits(call) && engine.evaluate(compiled, factsOf(call)).effect === "allow");
  const seen = spread(calls).map(
    (call, at): Case => ({ name: `a call that was seen (${at + 1})`, call, effect: "allow" }),
  );
  const [first] = calls;
  const stranger = first && { ...first, agent: { id: "somebody-else", labels: {} } };
  const other: Case[] =
    policy.labels === undefined && stranger && effectOf(stranger) === "deny"
      ? [{ name: "stopped: another agent", call: stranger, effect: "deny" }]
      : [];
  return [...seen, ...other, ...brokenCases(named, calls, (call) => effectOf(call) === "deny")];
}

/** A document of cases. */
function documentText(policy: DraftPolicy, part: number, cases: readonly string[]): string {
  const head = [
    "apiVersion: remit/v1",
    "kind: PolicyTest",
    `metadata: { name: ${scalar(part === 0 ? policy.name : `${policy.name}-${part + 1}`)} }`,
    "spec:",
    `  policies: [${scalar(policy.name)}]`,
    "  cases:",
    "",
  ];
  return `${head.join("\n")}${cases.join("")}`;
}

/** Texts in as many parts as it takes for none to be too long for one document. */
function parts(texts: readonly string[]): string[][] {
  const all: string[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const text of texts) {
    if (chars + text.length > DOCUMENT_CHARS_MAX) {
      all.push([]);
      chars = 0;
    }
    all.at(-1)?.push(text);
    chars += text.length;
  }
  return all;
}

/**
 * The tests of a policy: for every rule calls that were seen, and for every bound some that break it and no other. Rules
 * whose calls are all too long to read have none.
 */
export function testText(policy: DraftPolicy, testing: Testing): string {
  const cases = policy.rules.flatMap((named) => {
    const context = testing.tools.get(named.rule.tool)?.spec.contextSchema !== undefined;
    const principal = named.rule.conditions.some(({ text }) => text.includes("principal.id"));
    return casesOf(policy, named, testing).map((one) =>
      caseText({ ...one, name: `${named.id}: ${one.name}` }, { context, principal }),
    );
  });
  return parts(cases)
    .map((some, part) => documentText(policy, part, some))
    .join("---\n");
}
