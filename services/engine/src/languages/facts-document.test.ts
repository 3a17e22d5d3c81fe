import { expect, it } from "vitest";
import { frameOf } from "../../test/conditions.ts";
import { sampleFacts } from "../../test/sample.ts";
import { factsDocument } from "./facts-document.ts";

it("gives amounts as decimals, by unit and by budget", () => {
  const facts = sampleFacts({
    estimate: [{ unit: "EUR", value: "12.50" }],
    agent: { score: 612 },
    budget: { travel: { unit: "EUR", limit: "1000", remaining: "250" }, __proto__x: { unit: "tokens", spent: "-1" } },
  });
  expect(factsDocument(frameOf(facts))).toMatchObject({
    call: { estimate: { EUR: "12.5" } },
    agent: { score: 612 },
    budget: { travel: { unit: "EUR", limit: "1000", remaining: "250", used: 0.75 }, __proto__x: { unit: "tokens" } },
  });
});

it("leaves out what nobody knows", () => {
  const document = factsDocument(frameOf(sampleFacts()));
  expect(document).not.toHaveProperty("budget");
  expect(document.agent).not.toHaveProperty("score");
  expect(document).toMatchObject({ call: { estimate: {} }, session: { calls: 3 } });
});
