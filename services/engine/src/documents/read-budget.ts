import { decimalPattern, microsOf, unitText } from "../amount.ts";
import { zoneProblem } from "../cel/zones.ts";
import { isJsonObject } from "../json.ts";
import { type Anomaly, type BudgetDocument, type BudgetOwner, windows } from "./budget.ts";
import { below, type Report } from "./origin.ts";
import { budgetMetadata, globText, identityText, labelValue, nameText } from "./read-names.ts";
import { choiceOf, integer, listOf, oneOf, optional, type Reader, record, refined, required, text } from "./shape.ts";

const limit = text({
  pattern: decimalPattern,
  test: (value) => microsOf(value) !== undefined,
  expected: 'a decimal written as text, such as "500.00": 0 or more, at most 6 digits after the point',
});

const timeZoneText = text({
  pattern: "^[A-Za-z]{2}[A-Za-z0-9_+/-]*$",
  expected: "the name of a time zone, such as Europe/Berlin",
});
const timeZone: Reader<string> = refined(timeZoneText, (zone, _value, pointer, report) => {
  const problem = zoneProblem(zone);
  if (!problem) return zone;
  report(pointer, problem.message, { expected: "UTC or a zone such as Europe/Berlin", nearest: problem.nearest });
  return undefined;
});

const named = {
  team: optional(labelValue),
  agent: optional(nameText),
  principal: optional(identityText),
  tool: optional(globText),
};
const ownerNames = Object.keys(named);

const namedOwner: Reader<BudgetOwner> = refined(
  record(named),
  (owner, _value, pointer, report) => {
    const given = Object.keys(owner);
    if (given.length === 1) return owner as BudgetOwner;
    report(pointer, given.length === 0 ? "an owner that names nothing" : `an owner that names ${given.length} things`, {
      code: "combination_invalid",
      expected: `exactly one of ${ownerNames.join(", ")}`,
    });
    return undefined;
  },
  { minProperties: 1, maxProperties: 1 },
);

const owner: Reader<BudgetOwner> = choiceOf(oneOf(["tenant", "session"]), namedOwner);

const key = text({
  pattern: "^(?:principal|agent|input(?:\\.[^.\\s]+){1,16})$",
  expected: "principal, agent, or a path into the input such as input.customer_id",
});

/** More windows are not looked back on. */
const WINDOWS_MAX = 32;

const anomaly: Reader<Anomaly> = refined(
  record({
    deviations: optional(integer(1, 100)),
    windowsMin: optional(integer(3, WINDOWS_MAX)),
    floor: optional(limit),
  }),
  ({ deviations = 6, windowsMin = 7, ...more }) => ({ deviations, windowsMin, ...more }),
);

const budgetShape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Budget"])),
  metadata: required(budgetMetadata),
  spec: required(
    record({
      unit: required(unitText),
      limit: required(limit),
      window: required(oneOf(windows)),
      timeZone: optional(timeZone),
      owner: optional(owner),
      enforcement: optional(oneOf(["hard", "soft"])),
      per: optional(listOf(key, 1, 8)),
      anomaly: optional(anomaly),
    }),
  ),
});

const calendar: ReadonlySet<string> = new Set(["hour", "day", "week", "month"]);

/**
 * Reads a budget. What the author left out is there afterwards: the owner is the tenant, the enforcement is hard, and
 * where spending is compared with what was usual, how.
 */
export const readBudget: Reader<BudgetDocument> = refined(budgetShape, (budget, value, pointer, report) => {
  const { owner = "tenant", enforcement = "hard", ...spec } = budget.spec;
  const place = below(pointer, "spec");
  const whole = [
    checkWindow(spec, place, report),
    checkCalls(spec, place, report),
    checkKeys(spec.per ?? [], below(place, "per"), report),
    spec.anomaly === undefined || checkAnomaly({ ...spec, owner, enforcement }, below(place, "anomaly"), report),
  ];
  if (whole.includes(false) || !isJsonObject(value)) return undefined;
  return { ...budget, spec: { ...spec, owner, enforcement } };
});

function checkWindow(spec: { readonly window: string; readonly timeZone?: string }, place: string, report: Report) {
  if (spec.timeZone === undefined || calendar.has(spec.window)) return true;
  report(below(place, "timeZone"), `a time zone means nothing with the window ${spec.window}`, {
    ...{ code: "combination_invalid", atKey: true, expected: `the window ${[...calendar].join(", ")}` },
  });
  return false;
}

type Counted = { readonly unit: string; readonly limit: string; readonly anomaly?: Anomaly };

function checkCalls({ unit, limit: most, anomaly: watched }: Counted, place: string, report: Report) {
  const isBroken = (value: string | undefined) => unit === "calls" && value !== undefined && /\.0*[1-9]/.test(value);
  const at = isBroken(most) ? "limit" : isBroken(watched?.floor) ? "anomaly/floor" : undefined;
  if (at === undefined) return true;
  report(`${place}/${at}`, "calls are counted whole", {
    code: "value_invalid",
    expected: 'a whole number such as "3"',
  });
  return false;
}

type Watched = Pick<BudgetDocument["spec"], "window" | "owner" | "enforcement" | "per">;

/** What keeps a budget from being compared with what its agents spent before. */
function unwatchable({
  window,
  owner: of,
  enforcement,
  per,
}: Watched): [problem: string, expected: string] | undefined {
  if (enforcement === "soft") return ["a soft budget stops nothing, whatever is spent", "the enforcement hard"];
  if (!calendar.has(window)) {
    return [`a budget of the window ${window} has no windows before it`, `the window ${[...calendar].join(", ")}`];
  }
  const isOneAgent = per === undefined && typeof of === "object" && "agent" in of;
  if (isOneAgent || (per?.length === 1 && per[0] === "agent")) return undefined;
  const problem = "spending is compared with what the same agent spent before, and its accounts are not one an agent";
  return [problem, "an owner that names an agent, without `per`; or `per: [agent]`"];
}

function checkAnomaly(spec: Watched, place: string, report: Report) {
  const [problem, expected] = unwatchable(spec) ?? [];
  if (problem === undefined || expected === undefined) return true;
  report(place, problem, { code: "combination_invalid", atKey: true, expected });
  return false;
}

function checkKeys(keys: readonly string[], place: string, report: Report) {
  const twice = keys.findIndex((one, index) => keys.indexOf(one) < index);
  if (twice < 0) return true;
  report(below(place, twice), `\`${keys[twice]}\` is given twice`, { code: "given_twice" });
  return false;
}
