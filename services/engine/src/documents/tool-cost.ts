import { type Amount, amountText, unitText } from "../amount.ts";
import type { JsonObject } from "../json.ts";
import { below, type Report } from "./origin.ts";
import { described, listOf, oneOf, optional, type Reader, record, refined, required, text } from "./shape.ts";

/** What a call costs in a unit: a decimal, or an expression over its input. */
export type CostDocument = Amount | { readonly unit: string; readonly expression: string };

/** How far a call may cost more than was held for it: a share of what was held, or so much in a unit. */
export type ToleranceDocument = string | readonly Amount[];

const unitsMax = 16;
const costExpressionCharsMax = 4096;

const costShape = record({
  unit: required(unitText),
  value: optional(amountText),
  expression: optional(text(undefined, costExpressionCharsMax)),
});

const costEntry: Reader<CostDocument> = refined(
  costShape,
  (cost, _value, pointer, report) => {
    if ((cost.value === undefined) !== (cost.expression === undefined)) return cost as CostDocument;
    report(pointer, cost.value === undefined ? "a cost that says nothing" : "a cost that says two things", {
      code: "combination_invalid",
      expected: 'exactly one of value, such as "0.25", and expression, such as amount(input.amount, "EUR")',
    });
    return undefined;
  },
  { minProperties: 2, maxProperties: 2 },
);

const costList: Reader<readonly CostDocument[]> = refined(
  listOf(costEntry, 1, unitsMax),
  (costs, _value, pointer, report) => (unitsAreDistinct(costs, pointer, report) ? costs : undefined),
);

/** `none`: a call costs nothing in any unit. */
export const readCost: Reader<"none" | readonly CostDocument[]> = eitherOf(oneOf(["none"]), costList);

/** `calls` are counted by whoever decides, one a call: a document that says so too says it in vain. */
function unitsAreDistinct(amounts: readonly { readonly unit: string }[], pointer: string, report: Report): boolean {
  const seen = new Set<string>();
  let whole = true;
  for (const [index, { unit }] of amounts.entries()) {
    const place = below(below(pointer, index), "unit");
    if (unit === "calls") {
      report(place, "every call counts as one of `calls`, whatever its tool says", {
        ...{ code: "combination_invalid", severity: "warning", expected: "another unit" },
      });
    }
    if (seen.has(unit)) {
      report(place, `\`${unit}\` is given twice`, { code: "given_twice", expected: "one amount a unit" });
      whole = false;
    }
    seen.add(unit);
  }
  return whole;
}

const toleranceAmounts: Reader<readonly Amount[]> = refined(
  listOf(record({ unit: required(unitText), value: required(amountText) }), 1, unitsMax),
  (amounts, _value, pointer, report) => (unitsAreDistinct(amounts, pointer, report) ? amounts : undefined),
);

const share = text({
  pattern: "^(0|[1-9][0-9]{0,3})(\\.[0-9]{1,2})?%$",
  expected: "a share such as 10% or 2.5%",
});

export const readTolerance: Reader<ToleranceDocument> = eitherOf(share, toleranceAmounts);

/** What of an amount a share is, rounded down; undefined for what is no share. */
export function shareOf(micros: bigint, text: string): bigint | undefined {
  const [, whole, fraction = ""] = /^([0-9]{1,4})(?:\.([0-9]{1,2}))?%$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return (micros * (BigInt(whole) * 100n + BigInt(fraction.padEnd(2, "0")))) / 10_000n;
}

/** What is a list is read as one, and everything else as a text. */
function eitherOf<T, U>(texts: Reader<T>, lists: Reader<U>): Reader<T | U> {
  const schema: JsonObject = { anyOf: [texts.schema ?? {}, lists.schema ?? {}] };
  return described<T | U>(schema, (value, pointer, report) =>
    Array.isArray(value) ? lists(value, pointer, report) : texts(value, pointer, report),
  );
}

/** The amounts among costs: those that no call's input changes. */
export function fixedCosts(cost: "none" | readonly CostDocument[] | undefined): readonly Amount[] {
  return cost === undefined || cost === "none" ? [] : cost.filter((one) => "value" in one);
}
