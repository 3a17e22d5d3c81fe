import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { type Compiled, evaluate, type JsonObject } from "../index.ts";
import { judgeRules } from "../judge/judge.ts";
import type { Reads } from "./condition.ts";

const tool = toolText("pay", { inputSchema: { type: "object", properties: { amount: { type: "integer" } } } });

/** How often the input's `probe` is read while one call is judged. */
function readsOf(compiled: Compiled, input: JsonObject = {}): number {
  let reads = 0;
  const probed = Object.defineProperty({ ...input }, "probe", {
    enumerable: true,
    get: () => {
      reads++;
      return "x";
    },
  });
  const found = compiled.tools.get("pay");
  if (!found) throw new Error("no tool");
  const facts = sampleFacts({ input: probed });
  judgeRules({
    tool: found,
    groups: found.rules.groupsFor(facts.agent.labels),
    facts,
    trace: undefined,
  });
  return reads;
}

const rule = (id: string, when: string, effect = "deny") => ({ id, match: { tools: ["pay"] }, effect, when });
const same = 'input.probe == "y"';

describe("a condition that several rules have", () => {
  it("is judged once for a call, across rules and policies", () => {
    const one = compileTexts(tool, policyText([rule("a", same)]));
    const many = compileTexts(
      tool,
      policyText([rule("a", same), rule("b", same), rule("c", same, "allow")], {}, "p"),
      policyText([rule("d", same), { ...rule("e", "input.amount > 5"), unless: [same] }], {}, "q"),
    );
    expect(readsOf(many)).toBe(readsOf(one));
    expect(many.tools.get("pay")?.rules.repeats).toBe(true);
    expect(one.tools.get("pay")?.rules.repeats).toBe(false);
  });

  it("is judged anew once transforms have changed the input", () => {
    const set = {
      id: "t",
      match: { tools: ["pay"] },
      effect: "transform",
      set: { amount: 9 },
      when: "input.amount == 1",
    };
    const texts = [policyText([set, rule("a", "input.amount == 1", "allow"), rule("b", "input.amount == 9", "allow")])];
    const { effect, transformedInput } = evaluate(compileTexts(tool, ...texts), sampleFacts({ input: { amount: 1 } }));
    expect([effect, transformedInput]).toEqual(["transform", { amount: 9 }]);
    const both = [...texts, policyText([rule("c", "input.amount == 1"), rule("d", "input.amount == 1")], {}, "q")];
    expect(evaluate(compileTexts(tool, ...both), sampleFacts({ input: { amount: 1 } })).effect).toBe("transform");
  });

  it("is another one where its variables say something else", () => {
    const policy = (name: string, large: string) =>
      policyText([rule("a", "vars.large"), rule("b", "vars.large")], { variables: { large } }, name);
    const compiled = compileTexts(tool, policy("p", "input.amount > 5"), policy("q", "input.amount > 50"));
    const { rules } = evaluate(compiled, sampleFacts({ input: { amount: 9 } }));
    expect(rules.map((ref) => `${ref.policy}/${ref.rule}`)).toEqual(["p/a", "p/b"]);
  });
});

describe("a variable that several policies have", () => {
  it("is computed once for a call", () => {
    const variables = { seen: same };
    const policy = (name: string, when: string) => policyText([rule("a", when)], { variables }, name);
    const one = compileTexts(tool, policy("p", "vars.seen || input.amount > 5"));
    const two = compileTexts(
      tool,
      policy("p", "vars.seen || input.amount > 5"),
      policy("q", "vars.seen && input.amount > 6"),
    );
    expect(readsOf(two)).toBe(readsOf(one));
  });
});

describe("the meaning of a text", () => {
  const keyOf = (when: string, variables: Record<string, string>) =>
    compileTexts(tool, policyText([rule("a", when)], { variables })).policies[0]?.rules[0]?.rule.when[0]?.key ?? "";

  it.each([
    ["vars.a > 1", { a: "1" }, { a: "1", b: "2" }, true],
    ["vars.a > 1", { a: "1" }, { a: "2" }, false],
    ["vars.a > 1", { a: "vars.b", b: "1" }, { a: "vars.b", b: "2" }, false],
    ["vars .a > 1", { a: "1" }, { a: "2" }, false],
    ["vars\n.a > 1", { a: "1", b: "3" }, { a: "1", b: "4" }, true],
    ["input.amount > 1", { a: "1" }, { a: "2" }, true],
    // Each names the other, one of them in a text alone.
    ["vars.b", { a: 'input.t == "vars.b"', b: "vars.a" }, { a: 'input.u == "vars.b"', b: "vars.a" }, false],
  ])("%s with %j and with %j is the same: %s", (text, some: object, others: object, equal) => {
    const [one, other] = [some, others].map((variables) => keyOf(text, { ...variables }));
    expect(one).not.toBe("");
    expect(one === other).toBe(equal);
  });

  it("is told in few characters, however much its variables say", () => {
    const long = Array.from({ length: 40 }, (_, at) => [`v${at}`, `vars.v${at + 1} && "${"x".repeat(3000)}" != "y"`]);
    const key = keyOf("vars.v0", { ...Object.fromEntries(long), v40: "input.amount > 1" });
    expect(key.length).toBeLessThan(200);
  });

  it("is found once for each variable, however many ways lead to it", () => {
    const names = Array.from({ length: 60 }, (_, at) => [`v${at}`, `vars.v${at + 1} || vars.v${at + 2}`]);
    const variables = { ...Object.fromEntries(names), v60: "input.amount > 1", v61: "present(answers.memo)" };
    const asking = { ...rule("b", "vars.v0", "clarify"), questions: [{ id: "memo", type: "string", ask: "Why?" }] };
    const [read] = compileTexts(tool, policyText([asking], { variables })).policies[0]?.rules[0]?.reads ?? [];
    const all = new Set<Reads>();
    const visit = (reads: Reads) => {
      if (all.size < all.add(reads).size) reads.variables.forEach(visit);
    };
    if (read) visit(read);
    // The text, and each variable.
    expect(all.size).toBe(1 + 62);
    expect([...all].flatMap(({ answers }) => answers.map(({ id }) => id))).toEqual(["memo"]);
    const places = [...all].flatMap((reads) => reads.places.map(({ steps }) => steps.join(".")));
    expect(places).toEqual(["input", "input.amount"]);
  });
});

describe("verdicts", () => {
  it("are the same whether rules share their conditions or each stands in a tenant of its own", () => {
    const atom = fc.constantFrom(
      "input.a > 1",
      "input.b > 1",
      "vars.v",
      'input.t == "x"',
      "input.missing == 1",
      "input.a / input.b > 0.0",
      "input.l.exists(x, x == input.a)",
    );
    const one = fc.record({
      when: fc.array(atom, { minLength: 1, maxLength: 2 }),
      unless: fc.array(atom, { maxLength: 2 }),
      variable: fc.constantFrom("input.a > 2", "input.b > 2"),
    });
    const input = fc.record(
      {
        a: fc.constantFrom<JsonObject[string]>(0, 1, 2, 3, "x"),
        b: fc.constantFrom<JsonObject[string]>(0, 2, null),
        t: fc.constantFrom("x", "y"),
        l: fc.array(fc.constantFrom(1, 2)),
      },
      { requiredKeys: [] },
    );
    const text = ({ when, unless, variable }: { when: string[]; unless: string[]; variable: string }, name: string) =>
      policyText(
        [
          { id: "d", match: { tools: ["pay"] }, effect: "deny", when, ...(unless.length > 0 ? { unless } : {}) },
          { id: "e", match: { tools: ["pay"] }, effect: "deny", when: [...when].reverse() },
        ],
        { variables: { v: variable } },
        name,
      );
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 4 }),
        fc.array(input, { minLength: 4, maxLength: 4 }),
        (all, inputs) => {
          const together = compileTexts(toolText("pay"), ...all.map((policy, at) => text(policy, `p${at}`)));
          const apart = all.map((policy, at) => {
            const [two] = [text(policy, `p${at}`)];
            return compileTexts(toolText("pay"), two);
          });
          for (const each of inputs) {
            const facts = sampleFacts({ input: each as JsonObject });
            const verdict = evaluate(together, facts);
            const alone = apart.map((compiled) => evaluate(compiled, facts));
            const denying = alone.filter(({ code }) => code !== "no_rule_matched");
            expect(verdict.rules).toEqual(denying.flatMap(({ rules }) => rules));
            expect(verdict.unknowns).toEqual(alone.flatMap(({ unknowns }) => unknowns));
            matched += verdict.rules.length;
          }
        },
      ),
      { numRuns: 100 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});
