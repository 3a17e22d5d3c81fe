import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naiveVerdict } from "../../test/naive.ts";
import { compileTexts, policyText, sampleFacts, schemaDigest, toolText } from "../../test/sample.ts";
import { evaluate, type JsonObject, type JsonValue, parseDocuments } from "../index.ts";

const toolNames = ["pay", "pay.fast", "mail.send", "fs.write"];
const texts = ["DE", "FR", "ada", "", "/workspace/a"];
const leaf: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.integer({ min: -2, max: 6 }),
  fc.double({ noNaN: true, min: -5, max: 5 }),
  fc.constantFrom(...texts),
  fc.boolean(),
  fc.constant(null),
);
const anyValue: fc.Arbitrary<JsonValue> = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "country", "__proto__"), leaf, { maxKeys: 3 }).map((map) => ({ ...map })),
);

/** Fields with the type that conditions expect of them, so that most conditions are decided. */
const input: fc.Arbitrary<JsonObject> = fc.record({
  amount: fc.integer({ min: 0, max: 6 }),
  text: fc.constantFrom(...texts),
  flag: fc.boolean(),
  list: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
  to: fc.record({ country: fc.constantFrom("DE", "FR"), a: fc.integer({ min: 0, max: 3 }) }),
});

const number = fc.oneof(
  fc.constantFrom("input.amount", "input.to.a", "vars.sum", "1", "3", "2.5", "session.depth", "size(input.list)"),
  fc.constantFrom("input.amount + input.to.a", "input.amount * 2 - 1", "input.amount % 2"),
);
const text = fc.constantFrom("input.text", "input.to.country", '"DE"', '"ada"', "principal.id", "agent.labels.team");
const atom: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(number, fc.constantFrom("<", "<=", ">", ">=", "==", "!="), number).map((parts) => parts.join(" ")),
  fc.tuple(text, fc.constantFrom("==", "!="), text).map((parts) => parts.join(" ")),
  fc.constantFrom(
    "input.flag",
    "vars.large",
    'input.to.country in ["DE", "ada"]',
    "input.amount in input.list",
    "input.list.all(x, x < input.amount)",
    "input.list.exists(x, x == 2)",
    'input.text.startsWith("/work")',
    'input.text.matches("^[A-Z]+$")',
    'path.within(input.text, "/workspace")',
    'input.to == {"country": "DE", "a": 1}',
    "input.list.filter(x, x > 1) == [2]",
  ),
);
const condition: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.tuple(tie("node"), fc.constantFrom("&&", "||"), tie("node")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    tie("node").map((node) => `!(${node})`),
    fc.tuple(tie("node"), tie("node"), tie("node")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).node;

const glob = fc.constantFrom("*", "pay", "pay*", "*.send", "pay.*", "fs.write", "*a*");
const match = fc.oneof(
  glob.map((tool) => ({ tools: [tool] })),
  fc.constantFrom<JsonObject>({ risk: ["write"] }, { servers: ["mcp://*"] }, { tools: ["*"], risk: ["read", "write"] }),
);
const parameters: Record<string, JsonObject> = {
  allow: { constraints: { timeout: "5s" } },
  deny: {},
  escalate: { approval: { approvers: ["ada"] } },
  clarify: { questions: [{ id: "memo", type: "string", ask: "Why?" }] },
};
const conditions = fc.array(condition, { minLength: 1, maxLength: 2 });
const rule = fc.record(
  { match, effect: fc.constantFrom("allow", "deny", "escalate", "clarify"), when: conditions, unless: conditions },
  { requiredKeys: ["match", "effect"] },
);
const changes = fc.constantFrom<JsonObject>(
  { amount: 1 },
  { amount: { expr: "input.to.a" } },
  { "to.country": "DE" },
  { seen: true },
);
const transform = fc.record(
  { match, effect: fc.constant("transform"), when: conditions, set: changes },
  { requiredKeys: ["match", "effect", "set"] },
);
const labels = fc.constantFrom<JsonObject>({}, { team: "finance" }, { team: "sales" }, { team: "finance", level: "2" });
const variables = { large: "input.amount > 3", sum: "input.amount + input.to.a" };

type Rule = { readonly effect: string };
const numbered = (rules: readonly Rule[]) =>
  rules.map(
    (rule, index) => ({ id: `r${index}`, ...rule, ...(parameters[rule.effect] ?? {}) }) as unknown as JsonObject,
  );
const policies = (oneRule: fc.Arbitrary<Rule>) =>
  fc
    .array(fc.tuple(fc.array(oneRule, { minLength: 1, maxLength: 6 }), labels), { minLength: 1, maxLength: 3 })
    .map((list) =>
      list.map(([rules, matchLabels], index) => {
        const appliesTo = Object.keys(matchLabels).length > 0 ? { appliesTo: { agents: { matchLabels } } } : {};
        return policyText(numbered(rules), { variables, ...appliesTo }, `p${index}`);
      }),
    );
const tools = toolNames.map((name, index) =>
  toolText(name, { risk: index % 2 === 0 ? "write" : "read", ...(index < 2 ? { server: `mcp://s${index}` } : {}) }),
);
// `size`, `in` and the macros take several types, so a schema says which one an argument has; the other arguments are
// left open, so that it is the conditions that must notice.
const pinned = toolNames.map((name) =>
  toolText(name, { inputSchema: { type: "object", properties: { list: { type: "array" } } } }),
);
/** Tools that refuse some calls themselves. */
const strictTools = [
  toolText("pay.old", { status: "suspended" }),
  toolText("pay.capped", { maximum: [{ unit: "EUR", value: "5" }], inputSchema: { type: "object" } }),
];
const compiled = (texts: readonly string[]) => compileTexts(...tools, ...texts);
const call = fc.record({
  tool: fc.constantFrom(...toolNames),
  input,
  agent: fc.constantFrom({ labels: { team: "finance", level: "2" } }, { labels: { team: "sales" } }, { labels: {} }),
  answers: fc.constantFrom<JsonObject>({}, { memo: "rent" }, { memo: 5 }),
});

const strictCall = fc.tuple(call, fc.constantFrom("pay.old", "pay.capped")).chain(([facts, tool]) =>
  fc.record({
    ...Object.fromEntries(Object.entries({ ...facts, tool }).map(([key, value]) => [key, fc.constant(value)])),
    estimate: fc.constantFrom([], [{ unit: "EUR", value: "5" }], [{ unit: "EUR", value: "5.01" }]),
    schemaDigest: fc.constantFrom(undefined, undefined, schemaDigest({ type: "object" }), "sha256:another"),
  }),
);

/** Compiling costs more than judging, so every set of policies meets several calls. */
const calls = fc.array(call, { minLength: 8, maxLength: 8 });
const runs = { numRuns: 60 };
const patient = 60_000;

const restraining = (effect: string) => effect === "deny" || effect === "clarify" || effect === "escalate";

/** Every copy of a value in which one part is gone or is something else. */
function damages(value: JsonValue, other: JsonValue): JsonValue[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => [
      value.with(index, other),
      ...damages(item, other).map((damaged) => value.with(index, damaged)),
    ]);
  }
  const map = value as JsonObject;
  return Object.keys(map).flatMap((key) => {
    const { [key]: item = null, ...rest } = map;
    return [rest, { ...map, [key]: other }, ...damages(item, other).map((damaged) => ({ ...map, [key]: damaged }))];
  });
}

const kind = (value: JsonValue) => (value === null ? "null" : Array.isArray(value) ? "list" : typeof value);

/** Whether every part that differs has another type than before, so that it is a confusion and not just another value. */
function retyped(before: JsonValue, after: JsonValue | undefined): boolean {
  if (after === undefined || kind(before) !== kind(after)) return true;
  if (typeof before !== "object" || before === null) return before === after;
  if (Array.isArray(before)) {
    const items = after as readonly JsonValue[];
    return items.length === before.length && before.every((item, index) => retyped(item, items[index]));
  }
  const [from, to] = [before as JsonObject, after as JsonObject];
  return (
    Object.keys(to).every((key) => key in from) && Object.keys(from).every((key) => retyped(from[key] ?? null, to[key]))
  );
}

function askingPeople(rules: readonly Rule[], id: string): boolean {
  return rules[Number(id.slice(1))]?.effect === "escalate";
}

describe("whatever the policies and the call", { timeout: patient }, () => {
  it("a field that is missing or of another type never turns a restraint into a permission", () => {
    let restraints = 0;
    fc.assert(
      fc.property(policies(rule), calls, anyValue, (texts, several, other) => {
        const rules = compileTexts(...pinned, ...texts);
        for (const { answers: _, ...facts } of several) {
          if (!restraining(evaluate(rules, sampleFacts(facts)).effect)) continue;
          for (const damaged of damages(facts.input, other)) {
            if (!retyped(facts.input, damaged)) continue;
            restraints++;
            const after = evaluate(rules, sampleFacts({ ...facts, input: damaged as JsonObject }));
            expect(restraining(after.effect), `${JSON.stringify(damaged)} is ${after.effect} ${after.code}`).toBe(true);
          }
        }
      }),
      runs,
    );
    expect(restraints).toBeGreaterThan(1000);
  });

  it("the index finds what reading every document from top to bottom finds", () => {
    const anyRule = fc.oneof({ weight: 4, arbitrary: rule as fc.Arbitrary<Rule> }, { weight: 1, arbitrary: transform });
    const effects = new Map<string, number>();
    const codes = new Set<string>();
    fc.assert(
      fc.property(policies(anyRule), calls, fc.array(strictCall, { maxLength: 3 }), (texts, several, strict) => {
        const all = [...strictTools, ...texts];
        const { documents } = parseDocuments([{ file: "all.yaml", text: [...tools, ...all].join("\n---\n") }]);
        const rules = compiled(all);
        for (const facts of [...several, ...strict].map(sampleFacts)) {
          const { effect, code, rules: agreed } = evaluate(rules, facts);
          const names = agreed.map(({ policy, rule: id }) => `${policy}/${id}`);
          expect({ effect, code, rules: names }).toEqual(naiveVerdict(documents, facts));
          effects.set(effect, (effects.get(effect) ?? 0) + 1);
          codes.add(code);
        }
      }),
      runs,
    );
    expect([...effects.keys()].sort()).toEqual(["allow", "clarify", "deny", "escalate", "transform"]);
    for (const code of ["tool_suspended", "tool_schema_changed", "input_invalid"]) expect(codes).toContain(code);
  });

  it("another rule never makes a verdict more permissive, once any rule has matched", () => {
    const rank = ["deny", "clarify", "escalate", "transform", "allow"];
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), rule, calls, (rules, extra, several) => {
        const before = compiled([policyText(numbered(rules), { variables })]);
        const after = compiled([policyText(numbered([...rules, extra]), { variables })]);
        for (const facts of several.map(sampleFacts)) {
          const first = evaluate(before, facts);
          // Without anything that would permit, people are not asked about a rule that is unknown.
          const inVain = first.effect === "deny" && first.rules.every(({ rule: id }) => askingPeople(rules, id));
          if (first.code === "no_rule_matched" || inVain) continue;
          expect(rank.indexOf(evaluate(after, facts).effect)).toBeLessThanOrEqual(rank.indexOf(first.effect));
        }
      }),
      runs,
    );
  });

  it("the same call has the same verdict, and leaves its facts as they were", () => {
    fc.assert(
      fc.property(policies(rule), calls, (texts, several) => {
        const rules = compiled(texts);
        for (const facts of several.map(sampleFacts)) {
          const copy = structuredClone(facts);
          expect(evaluate(rules, facts)).toEqual(evaluate(rules, copy));
          expect(facts).toEqual(copy);
        }
      }),
      runs,
    );
  });
});
