import { expect, it } from "vitest";
import { compileTexts, policyText, toolText } from "../../test/sample.ts";

const deny = (id: string, when: string) => ({ id, match: { tools: ["pay"] }, effect: "deny", when });

it("a compiled set says which budgets its conditions and variables read, and no others", () => {
  const nearly = { variables: { nearly: "budget.day.used > 0.8", unread: "budget.week.used > 0.8" } };
  const one = policyText(
    [deny("a", "vars.nearly"), deny("b", 'budget["team-travel"].remaining < amount("5", "EUR")')],
    nearly,
  );
  const capped = { id: "t", match: { tools: ["pay"] }, effect: "transform", set: { n: { expr: "budget.set.used" } } };
  const other = policyText([deny("c", "present(budget.trip.limit)"), capped], {}, "q");
  expect(compileTexts(toolText("pay"), one, other).budgets).toEqual(new Set(["day", "team-travel", "trip", "set"]));
  expect(compileTexts(toolText("pay"), policyText([deny("a", "input.a == 1")])).budgets).toEqual(new Set());
});
