import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, type Facts, parseDocuments, runPolicyTests, type Verdict } from "../../src/index.ts";
import { sampleFacts } from "../sample.ts";
import { compiledExample, exampleDocument, exampleText, languages } from "./examples.ts";

const compiled = languages.map((language) => ({ language, compiled: compiledExample(language) }));

const text = fc.constantFrom(
  "",
  " ",
  "rent",
  "archive@acme.com",
  "Archive@acme.com",
  "ada@acme.com",
  'a"\n\\u{1F600}é',
);
const cents = fc.oneof(
  fc.integer({ min: 1, max: 100_000_000 }).map((amount) => amount / 100),
  fc.constantFrom(499.99, 500, 500.01, 0.01, 1_000_000),
);
const labels = fc.dictionary(fc.constantFrom("untrusted", "eu", "trusted"), fc.constantFrom("yes", "mail"));

const transfer = fc
  .record({
    amount: cents,
    country: fc.constantFrom("DE", "DE", "DE", "FR"),
    memo: fc.option(text, { nil: undefined }),
  })
  .map(({ memo, ...input }) => ({
    tool: "payments.transfer",
    input: { ...input, ...(memo !== undefined && { memo }) },
  }));
const mail = fc
  .record({ to: text, copy: fc.option(text, { nil: undefined }) })
  .map(({ copy, ...input }) => ({ tool: "mail.send", input: { ...input, ...(copy !== undefined && { copy }) } }));

const facts: fc.Arbitrary<Facts> = fc
  .record({
    call: fc.oneof({ weight: 3, arbitrary: transfer }, { weight: 1, arbitrary: mail }),
    answers: fc.constantFrom({}, {}, { memo: "rent" }, { memo: " " }, { memo: 5 }, { other: "x" }),
    sessionLabels: labels,
    team: fc.constantFrom("finance", "finance", "finance", "sales"),
    attempt: fc.integer({ min: 1, max: 5 }),
    granted: fc.boolean(),
  })
  .map(({ call, answers, sessionLabels, team, attempt, granted }) => {
    const made = sampleFacts({
      ...call,
      answers,
      session: { labels: sessionLabels },
      agent: { labels: { team } },
      granted: granted ? [{ policy: "payments", version: 1, rule: "large-transfers" }] : [],
    });
    return { ...made, call: { ...made.call, attempt } };
  });

/** Everything that a verdict says but how: the order of what a set of Rego holds is Rego's own. */
function said({ rules, detail: _, ...verdict }: Verdict) {
  return { ...verdict, rules: rules.map(({ rule }) => rule).sort() };
}

describe("the example in three languages", () => {
  it("decides alike on every generated call", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(facts, (call) => {
        const [native, ...others] = compiled.map(({ compiled: policies }) => said(evaluate(policies, call)));
        for (const other of others) expect(other).toEqual(native);
        seen.add(native?.code ?? "");
      }),
      { numRuns: 2000 },
    );
    expect([...seen].sort()).toEqual([
      "approval_granted",
      "approval_required",
      "clarified",
      "facts_missing",
      "no_rule_matched",
      "rule_allowed",
      "rule_denied",
      "rule_transformed",
    ]);
  });
});

describe("the cases of the example", () => {
  it.each(languages)("pass in %s", (language) => {
    const { documents } = parseDocuments([
      { file: "tools.yaml", text: exampleText("tools.yaml") },
      exampleDocument(language),
    ]);
    const { passed, failed } = runPolicyTests(
      [{ file: "payments_test.yaml", text: exampleText("payments_test.yaml") }],
      documents,
    );
    expect([passed, failed]).toEqual([10, []]);
  });
});
