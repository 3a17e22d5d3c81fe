import { readFileSync } from "node:fs";
import {
  type Compiled,
  type CompileSource,
  compile,
  compileInSlices,
  evaluate,
  type Facts,
  type JsonObject,
  type JsonValue,
  type PolicyDocument,
  parseInSlices,
  type ToolDocument,
} from "../../services/engine/src/index.ts";
import { facts as plainFacts, tenantOf } from "../growth/src/tenant.ts";
import { compilingWork, type Work } from "./turns.ts";

/** Something hostile, made beforehand: `run` does with it what the service does. */
export interface Case {
  readonly name: string;
  readonly make: () => Work;
}

export const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const byName = (count: number, make: (at: number) => JsonValue): JsonObject =>
  Object.fromEntries(many(count, (at) => [`p${at}`, make(at)]));
const fill = (part: string, chars: number) => part.repeat(Math.floor(chars / part.length));

export const tool = (inputSchema?: JsonObject, name = "pay"): ToolDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Tool", metadata: { name } },
  spec: { risk: "write", ...(inputSchema && { inputSchema }) },
});
export type Rule = PolicyDocument["spec"]["rules"][number];
export const rule = (at: number, more: Partial<Rule>): Rule => ({
  ...{ id: `r${at}`, match: { tools: ["pay"] }, effect: "allow" },
  ...more,
});
export const policy = (rules: readonly Rule[], variables?: Readonly<Record<string, string>>) => ({
  version: 1,
  document: {
    ...({ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "p" } } as const),
    spec: { mode: "enforce" as const, rules, ...(variables && { variables }) },
  },
});

const compiling = (name: string, source: () => CompileSource): Case => ({
  name,
  make: () => {
    const made = source();
    return compilingWork((pause) => compileInSlices(made, {}, pause));
  },
});
const reading = (name: string, document: () => object): Case => ({
  name: `read: ${name}`,
  make: () => {
    const files = [{ file: "a.json", text: JSON.stringify(document()) }];
    return (pause) => parseInSlices(files, pause);
  },
});

/** 10,000 rules that each name some tools and another that no other rule names. */
const matchesOfTheirOwn = (tools: (at: number) => readonly string[], more: Partial<Rule> = {}) =>
  many(10, (of) => {
    const ruleAt = (at: number) => rule(at, { match: { tools: [...tools(at), `x${of * 1_000 + at}`] }, ...more });
    return { version: 1, document: { ...policy(many(1_000, ruleAt)).document, metadata: { name: `p${of}` } } };
  });

const object = (properties: JsonObject) => ({ type: "object", properties });
const chars = 4090;
const variables = (text: (at: number) => string) => Object.fromEntries(many(200, (at) => [`v${at}`, text(at)]));

/** Documents at the limits, as they are published and as they are loaded. */
export const documents: readonly Case[] = [
  compiling("a wrong token behind 4,000 blanks", () => ({
    tools: [tool()],
    policies: [policy([rule(0, { when: [`a${" ".repeat(4000)}$`] })])],
  })),
  compiling("a condition of 1,000 terms", () => ({
    tools: [tool(object({ a: { type: "boolean" } }))],
    policies: [policy([rule(0, { when: [`${fill("input.a||", chars - 20)}input.a`] })])],
  })),
  compiling("a list of 2,000 values", () => ({
    tools: [tool()],
    policies: [policy([rule(0, { when: [`input.a in [${fill("1,", chars - 20)}1]`] })])],
  })),
  ...["[ab]*a[ab]{9}", "(a|b|c){1,200}x", "(?i)[\\pL\\pN]{100}", "[\\pL]{300}", "(a?){60}a{60}", "(.*a){20}"].map(
    (pattern) =>
      compiling(`100 patterns ${pattern}`, () => ({
        tools: [tool()],
        policies: [policy(many(100, (at) => rule(at, { when: [`input.a.matches(r"${pattern}${at}")`] })))],
      })),
  ),
  compiling("a pattern that is too large", () => ({
    tools: [tool()],
    policies: [policy([rule(0, { when: [`input.a.matches("(${"abc".repeat(300)}){1000}")`] })])],
  })),
  compiling("200 variables of 4,000 characters, for a typed tool", () => ({
    tools: [tool(object(byName(40, () => ({ type: "boolean" }))))],
    policies: [
      policy(
        [rule(0, { when: [many(200, (at) => `vars.v${at}`).join("||")] })],
        variables((at) => many(300, (n) => `input.p${(at + n) % 40}`).join("||")),
      ),
    ],
  })),
  compiling("a schema of 1,000 properties", () => ({
    tools: [tool(object(byName(1000, () => ({ type: "string", maxLength: 10 }))))],
    policies: [],
  })),
  compiling("a schema of 10,000 properties", () => ({
    tools: [tool(object(byName(10_000, () => ({ type: "string" }))))],
    policies: [],
  })),
  compiling("an enumeration of 20,000 values", () => ({
    tools: [tool(object({ a: { enum: many(20_000, (at) => `v${at}`) } }))],
    policies: [policy([rule(0, { when: ['input.a == "v7"'] })])],
  })),
  compiling("500 branches in a schema", () => ({
    tools: [tool(object({ a: { anyOf: many(500, (at) => ({ maxLength: at })) } }))],
    policies: [],
  })),
  compiling("a rule about all of 500 tools with a schema each", () => ({
    tools: many(500, (at) => tool(object(byName(20, (n) => ({ type: "string", maxLength: at + n }))), `t${at}`)),
    policies: [
      policy([rule(0, { match: { tools: ["*"] }, when: [many(60, (n) => `input.p${n % 20} == "x"`).join("||")] })]),
    ],
  })),
  compiling("a rule about all of 5,000 tools", () => ({
    tools: many(5_000, (at) => tool(object({ a: { type: "string", maxLength: at } }), `t${at}`)),
    policies: [policy([rule(0, { match: { tools: ["*"] }, when: ['input.a == "x"'] })])],
  })),
  compiling("a rule about all of 20,000 tools, which has no schema to go by", () => ({
    tools: many(20_000, (at) => tool(undefined, `t${at}`)),
    policies: [policy([rule(0, { match: { tools: ["*"] }, when: ['input.a == "x"'] })])],
  })),
  compiling("200 names like none of 20,000 tools", () => ({
    tools: many(20_000, (at) => tool(undefined, `payments.transfer.${at}.of.a.longer.name`)),
    policies: [
      policy(
        many(20, (at) => rule(at, { match: { tools: many(10, (n) => `payments.transfir.${at}.of.a.longer.n${n}`) } })),
      ),
    ],
  })),
  compiling("10,000 rules with matches of their own about one tool", () => ({
    tools: [tool()],
    policies: matchesOfTheirOwn(() => ["pay"]),
  })),
  compiling("1,000 policies of 16 labels and 10 rules each", () => ({
    tools: [tool()],
    policies: many(1_000, (of) => {
      const { document } = policy(many(10, (at) => rule(at, { when: [`input.a == ${of + at}`] })));
      const matchLabels = Object.fromEntries(many(16, (at) => [`l${at}`, `v${of}`]));
      const spec = { ...document.spec, appliesTo: { agents: { matchLabels } } };
      return { version: 1, document: { ...document, metadata: { name: `p${of}` }, spec } };
    }),
  })),
  compiling("10,000 rules with matches of their own about all of 20,000 tools", () => ({
    tools: many(20_000, (at) => tool(undefined, `t${at}`)),
    policies: matchesOfTheirOwn(() => ["t*"], { when: ["input.a == 77"] }),
  })),
  compiling("10,000 rules", () => tenantOf("other tools", 10_000)),
  compiling("10,000 rules about one tool", () => ({
    tools: [tool()],
    policies: [policy(many(10_000, (at) => rule(at, { when: [`input.a == ${at}`] })))],
  })),
];

/** What the thread that reads documents does, which decides nothing. */
export const elsewhere: readonly Case[] = [
  reading("4 KB of patterns", () => ({
    ...policy(many(20, (at) => rule(at, { when: [`input.a.matches(r"[\\pL]{300}${at}")`] }))).document,
  })),
  reading("a tool with 4 KB of patterns", () => tool(object(byName(60, (at) => ({ pattern: `[\\pL]{300}${at}` }))))),
];

/** What a tenant of one tool compiles to. */
export function compiled(rules: readonly Rule[]): Compiled {
  const made = compile({ tools: [tool()], policies: [policy(rules)] });
  if (!made.compiled) throw new Error(made.problems[0]?.message);
  return made.compiled;
}

/** A call of a tenant that compiles. */
const deciding = (
  name: string,
  source: () => CompileSource,
  input: () => JsonObject,
  more: Partial<Facts> = {},
): Case => ({
  name,
  make: () => {
    const { compiled, problems } = compile(source());
    if (!compiled) throw new Error(`${name}: ${problems[0]?.message}`);
    return call(compiled, { ...plainFacts, ...more, call: { ...plainFacts.call, tool: "pay" }, input: input() });
  },
});

const call =
  (compiled: Compiled, facts: Facts): Work =>
  () =>
    evaluate(compiled, facts);

const ruled = (rules: readonly Rule[], schema?: JsonObject, vars?: Readonly<Record<string, string>>) => () => ({
  tools: [tool(schema)],
  policies: [policy(rules, vars)],
});
const when = (...texts: string[]) => [rule(0, { when: texts })];
const long = (at: string) => ({ a: at.repeat(Math.floor(250_000 / at.length)) });
const numbers = () => ({ a: many(100_000, (at) => at % 10) });

const bundle = (name: string) =>
  readFileSync(new URL(`../engines/rego/${name}.tar.gz`, import.meta.url)).toString("base64");

/** Inputs at the limits, under rules that go through them as much as they may. */
export const inputs: readonly Case[] = [
  deciding("upperAscii of 250,000 letters", ruled(when('input.a.upperAscii() == "X"')), () => long("a")),
  deciding("upperAscii of 180,000 letters", ruled(when('input.a.upperAscii() == "X"')), () => ({
    a: "a".repeat(180_000),
  })),
  deciding("a search by many states", ruled(when('input.a.matches("^[ab]*a[ab]{9}$")')), () => ({
    a: "ab".repeat(7_000),
  })),
  deciding("a search by few states", ruled(when('input.a.matches("^[a-z]+$")')), () => ({ a: "ab".repeat(95_000) })),
  deciding("every item of a list", ruled(when("input.a.all(x, x < 10)")), () => ({ a: many(15_000, (at) => at % 10) })),
  deciding("every item of every item", ruled(when("input.a.all(x, input.a.all(y, x + y >= 0))")), () => ({
    a: many(120, () => 1),
  })),
  deciding(
    "a list mapped and mapped",
    ruled(when("size(input.a.map(x, x + 1).map(x, x + 1).filter(x, x > 2)) > 3")),
    numbers,
  ),
  deciding("equal to a large value", ruled(when("input.a == input.b")), () => ({ ...numbers(), b: numbers().a })),
  deciding(
    "10,000 rules, cheap, none of which matches",
    ruled(many(10_000, (at) => rule(at, { when: [`input.a == ${at + 9}`] }))),
    () => ({ a: 1 }),
  ),
  deciding(
    "10,000 rules, all of which match",
    ruled(many(10_000, (at) => rule(at, { when: [`input.a < ${at + 9}`] }))),
    () => ({ a: 1 }),
  ),
  deciding(
    "10,000 denies that are unknown",
    ruled(many(10_000, (at) => rule(at, { effect: "deny", when: [`input.b < ${at + 9}`] }))),
    () => ({ a: 1 }),
  ),
  deciding(
    "10,000 rules with matches of their own, none of which matches",
    () => ({ tools: [tool()], policies: matchesOfTheirOwn(() => ["pay"], { when: ["input.a == 77"] }) }),
    () => ({ a: 1 }),
  ),
  deciding(
    "the same about each of twenty tools, merged for each call",
    () => {
      const names = many(20, (at) => (at === 19 ? "pay" : `a${at}`));
      const tools = names.map((name) => tool(undefined, name));
      const but = (at: number) => names.filter((_, of) => of !== at % 20);
      return { tools, policies: matchesOfTheirOwn(but, { when: ["input.a == 77"] }) };
    },
    () => ({ a: 1 }),
  ),
  deciding(
    "200 transforms of 50 settings",
    ruled(many(200, (at) => rule(at, { effect: "transform", set: byName(50, (n) => n) }))),
    () => ({ a: 1 }),
  ),
  deciding(
    "3,000 escalations with texts",
    ruled(
      many(3_000, (at) =>
        rule(at, {
          effect: "escalate",
          message: `why ${at}`,
          approval: { approvers: ["ada"], quorum: 1, expires: "1h" },
        }),
      ),
    ),
    () => ({ a: 1 }),
  ),
  deciding(
    "a schema of 1,000 properties",
    ruled([rule(0, {})], object(byName(1000, () => ({ type: "string", maxLength: 10 })))),
    () => byName(1000, () => "x"),
  ),
  deciding(
    "500 branches that count characters",
    ruled(
      [rule(0, {})],
      object({ a: { anyOf: many(500, (at) => ({ maxLength: 120_000 + at, minLength: 120_001 + at })) } }),
    ),
    () => long("a"),
  ),
  deciding(
    "100,000 items in a schema",
    ruled([rule(0, {})], object({ a: { items: { type: "integer", minimum: 0 } } })),
    numbers,
  ),
  deciding(
    "40,000 items in 9 branches each",
    ruled([rule(0, {})], object({ a: { items: { anyOf: many(9, (at) => ({ const: at + 5 })) } } })),
    numbers,
  ),
  deciding("9,000 items that differ", ruled([rule(0, {})], object({ a: { uniqueItems: true } })), () => ({
    a: many(9_000, (at) => ({ at, deep: [at, [at]] })),
  })),
  deciding(
    "20,000 keys by 20 patterns",
    ruled([rule(0, {})], {
      type: "object",
      patternProperties: Object.fromEntries(many(20, (at) => [`^k${at}(a|b)*$`, {}])),
    }),
    () => Object.fromEntries(many(20_000, (at) => [`k${at}`, 1])),
  ),
  ...["rbac", "agents"].map((name) => ({
    name: `Rego: the bundle ${name} on 40 KB`,
    make: () => {
      const entrypoint = name === "rbac" ? "rbac/decisions" : "agents/decisions";
      const document = {
        ...({ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "p" } } as const),
        spec: {
          mode: "enforce" as const,
          language: "rego" as const,
          match: { tools: ["pay"] },
          bundle: bundle(name),
          entrypoint,
          rules: [],
        },
      };
      const { compiled, problems } = compile({ tools: [tool()], policies: [{ document, version: 1 }] });
      if (!compiled) throw new Error(problems[0]?.message);
      return call(compiled, {
        ...plainFacts,
        call: { ...plainFacts.call, tool: "pay" },
        input: { a: "x".repeat(40_000) },
      });
    },
  })),
];
