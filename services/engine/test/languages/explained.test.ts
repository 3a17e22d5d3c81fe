import { expect, it } from "vitest";
import { explain, explanationLines } from "../../src/index.ts";
import { sampleFacts } from "../sample.ts";
import { compiledExample } from "./examples.ts";

const large = sampleFacts({
  tool: "payments.transfer",
  input: { amount: 900, country: "DE", memo: "rent" },
  agent: { labels: { team: "finance" } },
});

it.each(["rego", "cedar"] as const)(
  "rules of %s are explained by their answer, and are not counted as skipped",
  (language) => {
    const explanation = explain(compiledExample(language), large);
    expect(explanation.verdict.effect).toBe("escalate");
    const decided = explanation.considered.find(({ rule }) => rule.rule === "large-transfers");
    expect(decided).toMatchObject({ result: "true", conditions: [], why: expect.stringContaining("when is true: ") });
    expect(explanation.skipped).toEqual({ otherAgents: 0, otherTools: 0, notReached: 0 });
    const lines = explanationLines(explanation).join("\n");
    expect(lines).toContain("payments@1/large-transfers: when is true: ");
    expect(lines).toContain("escalate by payments/large-transfers → escalate (approval_required)");
  },
);
