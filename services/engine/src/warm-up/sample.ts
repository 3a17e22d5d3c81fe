import type { PolicyDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { Facts } from "../judge/facts.ts";

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const byName = (count: number, make: (at: number) => JsonValue): JsonObject =>
  Object.fromEntries(many(count, (at) => [`p${at}`, make(at)]));

type Rule = PolicyDocument["spec"]["rules"][number];
const toolName = "warm.call";
const settingName = "warm.set";

/** Something of every kind of part that is gone through again and again where an input is large. */
function inputSchema(round: number): JsonObject {
  return {
    type: "object",
    properties: {
      ...byName(20, (at) => ({ type: "string", maxLength: 20 + at, minLength: 1 })),
      long: { type: "string" },
      a: { type: "string", pattern: `^[a-z]+(x|y)*(${round})?$`, maxLength: 1000 },
      b: { anyOf: many(6, (at) => ({ type: "string", maxLength: 3 * at })) },
      c: { enum: many(20, (at) => `v${at}`) },
      n: { type: "integer", minimum: 0, maximum: 1000 },
      list: { type: "array", items: { type: "integer", minimum: 0 }, maxItems: 1000 },
      parts: { type: "array", uniqueItems: true, items: { type: "object" } },
      keys: {
        type: "object",
        patternProperties: Object.fromEntries(many(4, (at) => [`^k${at}(a|b)*(${round})?$`, { type: "integer" }])),
      },
    },
  };
}

const conditions = (round: number): readonly string[] => [
  `size(input.list.map(x, x + 1).map(x, x + 1).filter(x, x > 2)) > ${round + 3}`,
  "input.list.all(x, x >= 0 && x < 1000) && input.list.exists(x, x == 7)",
  `input.a.matches(r"^[ab]*a[ab]{2}(${round})?") || input.a.startsWith("x") || input.a.upperAscii() == "X"`,
  `input.a in [${many(60, (at) => `"${at}"`).join(", ")}] || input.n in [${many(60, String).join(",")}]`,
  many(60, (at) => `input.p${at % 20} == "x${at}"`).join(" || "),
  many(60, (at) => `input.n > ${at + round}`).join("||"),
  `input.a.contains("\u6101${round}") || input.long.contains("\u6101\u6101a") || input.long.contains("\u6101b")`,
  'vars.large && !(has(input.c) && input.c == "v7") || context.hour == 3 && session.calls < 10',
];

const tool = (name: string, schema?: JsonObject): ToolDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Tool", metadata: { name } },
  spec: { risk: "write", ...(schema && { inputSchema: schema }) },
});
const policy = (name: string, rules: readonly Rule[]): PolicyDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name } },
  spec: { mode: "enforce", rules, variables: { large: "input.n > 500 || size(input.list) > 100" } },
});

const match = { tools: [toolName] };
const plain = (at: number, effect: "allow" | "deny", when: string): Rule => ({
  id: `r${at}`,
  match,
  effect,
  when: [when],
});

const questionsOf = (at: number, type: "string" | "number") =>
  many(5, (n) => ({ id: `q${(5 * at + n) % 40}`, type, ask: "?" }));

/** Rules that ask what calls of the sample answer, some of them for another type. */
const asking = (): Rule[] =>
  many(10, (at) => ({
    ...plain(200 + at, "allow", `input.n == ${at + 5000}`),
    effect: "clarify",
    questions: questionsOf(at, at === 9 ? "number" : "string"),
  }));
const answers = Object.fromEntries(many(40, (at) => [`q${at}`, "x"]));

/** Documents with patterns of its own for every round: known ones are not made again. */
export function sampleDocuments(round: number): {
  readonly tools: ToolDocument[];
  readonly policies: PolicyDocument[];
} {
  const rules = [
    ...conditions(round).map((when, at) => plain(at, "allow", when)),
    ...many(30, (at) => plain(10 + at, "deny", `input.n == ${at + 5000} || input.missing < ${at}`)),
    ...asking(),
    plain(99, "deny", `input.a.matches(r"[\\pL]{20}${round}")`),
  ];
  const transforms = many(
    20,
    (at): Rule => ({
      ...{ id: `t${at}`, match: { tools: [settingName] }, effect: "transform" },
      set: byName(10, (n) => (n === 0 ? "x" : n)),
    }),
  );
  return {
    tools: [tool(toolName, inputSchema(round)), tool(settingName)],
    policies: [policy("warm", rules), policy("warm-set", transforms)],
  };
}

const teamTool = "warm.team";
const teamLabels = (at: number) =>
  Object.fromEntries(many(40, (n) => [`l${n}`, "x"]).filter((_, n) => n === at || (at + n) % 3 !== 0));

/** Policies for agents of many labels each. */
export function sampleTeams(round: number): { readonly tools: ToolDocument[]; readonly policies: PolicyDocument[] } {
  const rules = many(5, (at): Rule => {
    const effect = at % 5 === 0 ? "allow" : "deny";
    return { id: `r${at}`, match: { tools: [teamTool] }, effect, when: [`input.n == ${at < 3 ? 5000 : round - 1000}`] };
  });
  const policies = many(20, (at): PolicyDocument => {
    const { metadata, ...rest } = policy(`team-${at}`, rules);
    const spec = { mode: "enforce" as const, rules, appliesTo: { agents: { matchLabels: teamLabels(at) } } };
    return { ...rest, metadata, spec };
  });
  return { tools: [tool(teamTool)], policies };
}

/** A call of theirs, of an agent that carries what most of them ask for. */
export function teamFacts(at: number): Facts {
  const facts = sampleFacts(0);
  const labels = Object.fromEntries(many(40, (n) => [`l${n}`, n === at % 40 ? "y" : "x"]));
  return {
    ...{ ...facts, input: { n: at }, answers: {} },
    ...{ call: { ...facts.call, tool: teamTool }, agent: { ...facts.agent, labels } },
  };
}

const input = (at: number): JsonObject => ({
  ...byName(20, (n) => `text ${n}`),
  a: "ab".repeat(20 + (at % 5)),
  b: "abc".repeat(3),
  long: "\u6101".repeat(2_000),
  c: `v${at % 20}`,
  n: at % 1000,
  list: many(150, (n) => n % 10),
  parts: many(20, (n) => ({ n, deep: [n, [`${at}`]] })),
  keys: Object.fromEntries(many(30, (n) => [`k${n % 4}a${n}`, n])),
});

/** Calls of the sample's tools. */
export function sampleFacts(at: number): Facts {
  return {
    ...{ input: input(at), context: {}, answers: at % 3 === 0 ? answers : {} },
    call: { tool: at % 4 === 3 ? settingName : toolName, estimate: [], attempt: 1 },
    agent: { id: "warm", labels: {}, owner: "warm" },
    principal: { id: "warm", verified: true, labels: {} },
    session: { id: "warm", labels: {}, depth: 0, purpose: "", ageSeconds: 1, calls: at },
    caller: { id: "warm", name: "warm" },
    now: "2026-01-01T00:00:00Z",
    scopes: [{ tools: ["warm.*"] }],
    mode: "enforce",
    supportedConstraints: [],
  };
}
