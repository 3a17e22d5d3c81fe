import type { RuleDocument } from "../../src/documents/policy.ts";
import type { JsonObject, JsonValue, PolicyDocument, Risk, ToolDocument } from "../../src/index.ts";
import type { World } from "../naive.ts";
import { schemaDigest } from "../sample.ts";
import { bool, number, type Scope, text } from "./expressions.ts";
import { fields } from "./fields.ts";
import type { Random } from "./random.ts";

const toolNames = ["pay", "pay.fast", "pay.refunds.make", "mail.send", "fs.write", "web.fetch"];
const globs = ["*", "pay", "pay*", "pay.*", "*.send", "fs.write", "*a*e*", "web.fetch", "p*.m*", "*.fast"];
const servers = ["mcp://bank/main", "mcp://bank/eu", "mcp://web"];
const risks: readonly Risk[] = ["read", "write", "destructive", "unclassified"];
const labelSets: readonly Readonly<Record<string, string>>[] = [
  { team: "finance" },
  { team: "sales" },
  { team: "finance", level: "2" },
];

/** What worlds hold. Strict ones have no expression that asks whether something is there, or of which type it is. */
export interface WorldKind {
  readonly strict?: boolean;
}

/** Tools and policies, well typed for the most part. */
export function randomWorld(random: Random, { strict = false }: WorldKind = {}): World {
  const tools = random.list(2, 4, (index) => randomTool(random, toolNames[index] ?? "pay", strict));
  const policies = random.list(1, 4, (index) => ({
    document: randomPolicy(random, `p${index}`, strict),
    version: 1 + random.below(3),
  }));
  return { tools, policies };
}

function randomTool(random: Random, name: string, strict: boolean): ToolDocument {
  const inputSchema = random.way<JsonObject | undefined>([
    // Operators on lists take maps too, so it is for a schema to say which one there is.
    [2, () => (strict ? listsOnly : undefined)],
    [2, () => schemaOf(random, false, strict)],
    [2, () => schemaOf(random, true, strict)],
  ]);
  const contextSchema: JsonObject = { type: "object", properties: { user: { type: "string" } } };
  return {
    apiVersion: "remit/v1",
    kind: "Tool",
    metadata: { name },
    spec: {
      risk: random.pick(risks),
      ...(random.chance(0.6) ? { server: random.pick(servers) } : {}),
      ...(random.chance(0.4) ? { labels: { tier: random.pick(["1", "2"]) } } : {}),
      ...(inputSchema ? { inputSchema } : {}),
      ...(random.chance(0.3) ? { contextSchema } : {}),
      ...(random.chance(0.2) ? { maximum: [{ unit: "EUR", value: "5" }] } : {}),
      ...(random.chance(0.1) ? { offeredSchema: schemaDigest({ type: "array" }) } : {}),
      ...(random.chance(0.02) ? { status: "suspended" as const } : {}),
    },
  };
}

const lists = Object.keys(fields).filter((name) => fields[name]?.schema.type === "array");
const listsOnly: JsonObject = {
  type: "object",
  properties: Object.fromEntries(lists.map((name) => [name, { type: "array" }])),
};

function schemaOf(random: Random, closed: boolean, strict: boolean): JsonObject {
  const isNamed = (name: string) => closed || (strict && lists.includes(name)) || random.chance(0.7);
  const names = Object.keys(fields).filter(isNamed);
  const properties = Object.fromEntries(names.map((name) => [name, fields[name]?.schema ?? {}]));
  const amount = { type: "number", maximum: 1000 };
  return {
    type: "object",
    properties: { ...properties, missing: {}, ...(random.chance(0.3) && names.includes("amount") ? { amount } : {}) },
    required: names.filter((name) => name !== "memo" && random.chance(0.15)),
    ...(closed ? { additionalProperties: false } : {}),
  };
}

function randomPolicy(random: Random, name: string, strict: boolean): PolicyDocument {
  const { variables, scope } = randomVariables(random, strict);
  return {
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { name },
    spec: {
      mode: random.chance(0.12) ? "observe" : "enforce",
      ...(random.chance(0.3) ? { appliesTo: { agents: { matchLabels: random.pick(labelSets) } } } : {}),
      ...(Object.keys(variables).length > 0 ? { variables } : {}),
      rules: random.list(1, 6, (index) => randomRule(random, `r${index}`, scope)),
    },
  };
}

/** What reads nothing but what transforms like to change, so that it may have two values in one call. */
const changing = {
  bool: ["input.flag", "input.amount > 5", 'input.to.country == "DE"', 'input.text == "safe"'],
  number: ["input.amount", "input.amount * 2"],
  text: ["input.text", "input.to.country", "input.path"],
} as const;

function randomVariables(random: Random, strict: boolean): { variables: Record<string, string>; scope: Scope } {
  const variables: Record<string, string> = {};
  const known = { bool: [] as string[], number: [] as string[], text: [] as string[] };
  const scope: Scope = { random, variables: known, bound: {}, macros: 0, strict };
  for (const index of random.list(0, 4, (at) => at)) {
    const type = random.pick(["bool", "number", "text"] as const);
    const name = `v${index}`;
    variables[name] = random.chance(0.4) ? random.pick(changing[type]) : { bool, number, text }[type](scope, 1);
    known[type].push(name);
  }
  return { variables, scope };
}

const effects = ["allow", "transform", "escalate", "clarify", "deny"] as const;

function randomRule(random: Random, id: string, scope: Scope): RuleDocument {
  const effect = random.way(effects.map((one, index) => [[7, 3, 2.6, 1.6, 1.6][index] ?? 1, () => one] as const));
  const common = {
    id,
    effect,
    match: randomMatch(random),
    ...(random.chance(0.3) ? { unless: random.list(1, 2, () => bool(scope, 2)) } : {}),
  };
  const when = effect === "allow" ? random.list(0, 1, () => bool(scope, 1)) : random.list(1, 2, () => bool(scope, 2));
  const told = {
    ...(random.chance(0.4) ? { message: random.pick(["Not now.", "Ask first.", "Never."]) } : {}),
    ...(random.chance(0.3) ? { remedy: random.pick(["Wait.", "Use less."]) } : {}),
  };
  switch (effect) {
    case "allow":
      return { ...common, ...(when.length > 0 ? { when } : {}), ...randomConstraints(random, 0.3) };
    case "transform":
      return {
        ...common,
        when: when.slice(0, 1),
        set: randomChanges(random, scope),
        ...randomConstraints(random, 0.2),
      };
    case "escalate":
      return { ...common, ...told, when, approval: randomApproval(random), ...randomConstraints(random, 0.2) };
    case "clarify":
      return {
        ...common,
        ...told,
        when: [...random.list(0, 1, () => bool(scope, 1)), ...questioned(scope)],
        ...randomQuestions(random),
      };
    default:
      return { ...common, ...told, when: random.list(1, 3, () => bool(scope, 1)) };
  }
}

function questioned({ random, strict }: Scope): string[] {
  return random.way([
    [5, () => ["!present(answers.memo)"]],
    [2, () => ["!present(answers.memo) || answers.memo == input.text"]],
    [strict ? 0 : 1, () => ["!(present(input.memo) || present(answers.memo)) || !present(answers.ok)"]],
    [1, () => [] as string[]],
  ]);
}

function randomQuestions(random: Random): Pick<RuleDocument, "questions"> {
  const memo = { id: "memo", type: "string", ask: "What for?" } as const;
  const ok = { id: "ok", type: "boolean", ask: "Sure?" } as const;
  const much = { id: "memo", type: "number", ask: "How much?" } as const;
  return { questions: random.pick([[memo], [memo], [memo, ok], [ok], [much]]) };
}

function randomMatch(random: Random): RuleDocument["match"] {
  return random.way<RuleDocument["match"]>([
    [3, () => ({ tools: random.list(1, 2, () => random.pick(globs)) })],
    [2, () => ({ tools: ["*"] })],
    [1, () => ({ risk: random.list(1, 2, () => random.pick(risks)) })],
    [1, () => ({ servers: [random.pick(["mcp://*", "mcp://bank/*", "*/eu", "mcp://web"])] })],
    [1, () => ({ tools: ["*"], risk: ["read", "write"] })],
  ]);
}

function randomConstraints(random: Random, share: number): Pick<RuleDocument, "constraints"> {
  if (!random.chance(share)) return {};
  return {
    constraints: random.pick([
      { timeout: "5s" },
      { timeout: "30s", maxOutputBytes: 100 },
      { timeout: "10s" },
      { redactOutput: ["iban", "card"] },
      { redactOutput: ["name"], requireIdempotencyKey: true },
      { maxOutputBytes: 5000 },
    ]),
  };
}

function randomApproval(random: Random): NonNullable<RuleDocument["approval"]> {
  return {
    approvers: random.pick([["ada"], ["group:leads", "principal"]]),
    quorum: 1 + random.below(2),
    expires: random.pick(["90s", "15m", "1h"]),
    ...(random.chance(0.4) ? { summary: random.pick(["A payment.", "A write."]) } : {}),
  };
}

function randomChanges(random: Random, scope: Scope): Record<string, JsonValue> {
  const loose = scope.strict ? 0 : 0.3;
  const one = (): [string, JsonValue] =>
    random.way<[string, JsonValue]>([
      [3, () => ["amount", random.chance(0.5) ? random.pick([1, 2.5, 700]) : { expr: number(scope, 1) }]],
      [2, () => ["text", random.chance(0.5) ? random.pick(["DE", "safe"]) : { expr: text(scope, 1) }]],
      [2, () => ["to.country", random.chance(0.6) ? random.pick(["DE", "FR", "US"]) : { expr: text(scope, 1) }]],
      [1, () => ["flag", random.chance(0.5) ? true : { expr: bool(scope, 1) }]],
      [1, () => ["path", { expr: 'path.join("/workspace", path.base(input.path))' }]],
      [1, () => ["memo", { expr: "answers.memo" }]],
      [0.5, () => ["to", { country: "DE", n: 1, k: 2 }]],
      [0.5, () => ["list", { expr: `[${number(scope, 0)}, 1]` }]],
      [loose, () => ["any.deep.er", { expr: 'now + duration("1h")' }]],
      [loose, () => ["any", { expr: random.pick(["input.to", "input.items", "input.ids", '{"a": input.count}']) }]],
      [0.2, () => ["dry", true]],
    ]);
  return Object.fromEntries(random.list(1, 2, one));
}
