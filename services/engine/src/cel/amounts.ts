import { isUnit, microsOf } from "../amount.ts";
import type { FunctionTable } from "./function-table.ts";
import { Failure, type Outcome, Quantity, typeConfusion, type Value } from "./value.ts";

const notExact = new Failure(
  "error",
  'not an exact amount: 0 or more, at most 6 digits after the point, such as "12.50"',
);
const notUnit = new Failure("error", "not a unit: a currency such as EUR, or a word such as tokens");

/** A double is known to 15 digits: with more, several decimals are the same double, and which one was meant is lost. */
const exactDigits = 15;

function microsFrom(value: Value): bigint | undefined {
  if (typeof value === "string") return microsOf(value);
  if (typeof value === "bigint") return microsOf(String(value));
  if (typeof value !== "number") return undefined;
  const decimal = String(value);
  return significant(decimal) > exactDigits ? undefined : microsOf(decimal);
}

function significant(decimal: string): number {
  return decimal.replace(".", "").replace(/^0+/, "").length;
}

function amount([value, unit = ""]: readonly Value[]): Outcome {
  if (typeof unit !== "string") return typeConfusion("the unit of amount()", unit);
  if (unit !== "" && !isUnit(unit)) return notUnit;
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    const micros = microsFrom(value);
    return micros === undefined ? notExact : new Quantity(micros, unit);
  }
  return typeConfusion("amount()", value as Value);
}

/** An amount's decimal, without its unit and without zeros at its end. */
export function decimalOf({ micros }: Quantity): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return `${micros < 0n ? "-" : ""}${size / 1_000_000n}${fraction === "" ? "" : `.${fraction}`}`;
}

export const amountFunctions: FunctionTable = {
  amount: {
    params: [["string", "int", "double"], ["string"]],
    optional: 1,
    result: "amount",
    steps: 20,
    folds: true,
    literal: (index, value) =>
      index === 1 && typeof value === "string" && !isUnit(value) ? { message: notUnit.why } : undefined,
    apply: amount,
  },
};
