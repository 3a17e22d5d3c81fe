import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { compile, evaluate, type JsonObject, lint, namesOfFiles, parseDocuments } from "../index.ts";

const tools = [toolText("pay", { risk: "write", server: "mcp://bank" }), toolText("pay.read", { risk: "read" })];

function warningsOf(...texts: readonly string[]): string[] {
  const { documents } = parseDocuments([{ file: "test.yaml", text: [...tools, ...texts].join("\n---\n") }]);
  return lint(documents, namesOfFiles(documents))
    .filter(({ code }) => code === "rule_never_matches" || code === "rule_shadowed")
    .map(({ message }) => message);
}

const rule = (id: string, effect: string, more: JsonObject = {}, match: JsonObject = { tools: ["pay"] }) => ({
  id,
  match,
  effect,
  ...more,
});

describe("a rule that can never match", () => {
  it.each([
    [rule("r", "deny", { when: "1 == 2" }), "a condition that is never true: the rule matches nothing"],
    [rule("r", "deny", { unless: "true" }), "an exception that always holds: the rule matches nothing"],
    [rule("r", "deny", {}, { tools: ["pay"], risk: ["read"] }), "none of the tools that the rule names is such a one"],
    [
      rule("r", "deny", {}, { tools: ["pay"], servers: ["mcp://x/*"] }),
      "none of the tools that the rule names is such a one",
    ],
  ])("%j is told", (one, message) => expect(warningsOf(policyText([one]))).toEqual([message]));

  it.each([
    rule("r", "deny", { when: "1 == 1" }),
    rule("r", "deny", { when: "input.a == 1", unless: ["true", "input.a == 2"] }),
    rule("r", "deny", {}, { tools: ["pay", "unregistered"], risk: ["read"] }),
    rule("r", "deny", {}, { tools: ["pay", "pay.read"], risk: ["read"] }),
    rule("r", "deny", {}, { tools: ["p*"], risk: ["destructive"] }),
  ])("%j is not told", (one) => expect(warningsOf(policyText([one]))).toEqual([]));
});

describe("a rule that another makes superfluous", () => {
  const all = { tools: ["*"] };
  it.each([
    [rule("a", "deny", {}, all), rule("b", "allow", { when: "input.a == 1" }), "`p/a` denies all its calls"],
    [
      rule("b", "allow", { when: "input.a == 1" }),
      rule("a", "deny", {}, { tools: ["p*"] }),
      "`p/a` denies all its calls",
    ],
    [rule("a", "allow"), rule("b", "allow", { when: "input.a == 1" }), "`p/a` allows all its calls"],
    [rule("a", "deny"), rule("b", "deny"), "`p/a` denies all its calls"],
    [rule("a", "allow"), rule("b", "allow", { constraints: { timeout: "9s" } }), "`p/b` allows all its calls"],
    [
      rule("a", "allow", { constraints: { timeout: "5s" } }),
      rule("b", "allow", { constraints: { timeout: "9s" } }),
      "`p/a` allows all its calls",
    ],
  ])("%j and %j", (one, other, message) => {
    const found = warningsOf(policyText([one, other]));
    expect(found).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [rule("a", "deny", { when: "input.a == 1" }), rule("b", "allow")],
    [rule("a", "deny", {}, { tools: ["*"], risk: ["read"] }), rule("b", "allow")],
    [rule("a", "allow"), rule("b", "deny", { when: "input.a == 1" })],
    [rule("a", "allow"), rule("b", "allow", { when: "input.a == 1", constraints: { timeout: "9s" } })],
    [rule("a", "deny", {}, { tools: ["pa*y"] }), rule("b", "allow", {}, { tools: ["p*"] })],
  ])("neither of %j and %j", (one, other) => expect(warningsOf(policyText([one, other]))).toEqual([]));

  it("only where the other speaks for all its agents, and is enforced", () => {
    const finance = { appliesTo: { agents: { matchLabels: { team: "finance" } } } };
    const [deny, allow] = [[rule("a", "deny")], [rule("b", "allow")]];
    expect(warningsOf(policyText(deny, finance, "p"), policyText(allow, {}, "q"))).toEqual([]);
    expect(warningsOf(policyText(deny, { mode: "observe" }, "p"), policyText(allow, {}, "q"))).toEqual([]);
    expect(warningsOf(policyText(deny, {}, "p"), policyText(allow, finance, "q"))).toHaveLength(1);
  });

  it("changes no effect when it is taken away", () => {
    const glob = fc.constantFrom("*", "pay", "pay*", "p*y", "*read", "pay.read");
    const oneRule = fc.record(
      {
        effect: fc.constantFrom("allow", "deny", "escalate", "allow", "deny"),
        match: fc.record(
          {
            tools: fc.array(glob, { minLength: 1, maxLength: 2 }),
            risk: fc.constantFrom(["read"], ["write"], ["read", "write"]),
          },
          { requiredKeys: ["tools"] },
        ),
        when: fc.constantFrom("input.a == 1", "input.b > 2"),
        timeout: fc.constantFrom("5s", "9s"),
      },
      { requiredKeys: ["effect", "match"] },
    );
    const onePolicy = fc.record({
      rules: fc.array(oneRule, { minLength: 1, maxLength: 4 }),
      labels: fc.constantFrom<JsonObject>({}, {}, { team: "finance" }, { team: "sales" }),
      mode: fc.constantFrom("enforce", "enforce", "observe"),
    });
    const texts = (
      all: { rules: { effect: string; timeout?: string }[]; labels: JsonObject; mode: string }[],
      but?: string,
    ) =>
      all.flatMap(({ rules, labels, mode }, at) => {
        const kept = rules
          .map(({ timeout, ...one }, place) => ({
            ...{ id: `r${place}`, ...one },
            ...(timeout && one.effect === "allow" ? { constraints: { timeout } } : {}),
            ...(one.effect === "escalate" ? { approval: { approvers: ["ada"] } } : {}),
          }))
          .filter(({ id }) => `p${at}/${id}` !== but);
        const appliesTo = Object.keys(labels).length > 0 ? { appliesTo: { agents: { matchLabels: labels } } } : {};
        return kept.length === 0 ? [] : [policyText(kept as never, { ...appliesTo, mode }, `p${at}`)];
      });
    const compiledOf = (list: readonly string[]) => {
      const { documents } = parseDocuments([{ file: "test.yaml", text: [...tools, ...list].join("\n---\n") }]);
      const policies = documents.policies.map((document) => ({ document, version: 1 }));
      return { documents, compiled: compile({ policies, tools: documents.tools }).compiled };
    };
    let warned = 0;
    fc.assert(
      fc.property(fc.array(onePolicy, { minLength: 1, maxLength: 3 }), (all) => {
        const { documents, compiled } = compiledOf(texts(all));
        // Without their file problems are told by pointer.
        const placeless = structuredClone(documents);
        const found = lint(placeless, namesOfFiles(placeless)).filter(({ code }) => code === "rule_shadowed");
        for (const { file, message } of found) {
          const policy = documents.policies.find(({ metadata }) => file === `policy ${metadata.name}`);
          const [, index] = /^\/spec\/rules\/(\d+):/.exec(message) ?? [];
          const name = `${policy?.metadata.name}/${policy?.spec.rules[Number(index)]?.id}`;
          warned++;
          const without = compiledOf(texts(all, name)).compiled;
          for (const tool of ["pay", "pay.read"]) {
            for (const team of ["finance", "sales", "none"]) {
              for (const input of [{}, { a: 1, b: 3 }, { a: 1 }, { a: 2, b: 1 }]) {
                const facts = sampleFacts({ tool, input, agent: { labels: { team } } });
                const outcome = (one: typeof compiled) =>
                  one && [evaluate(one, facts).effect, evaluate(one, facts).constraints];
                expect(outcome(without), name).toEqual(outcome(compiled));
              }
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(warned).toBeGreaterThan(30);
  });
});
