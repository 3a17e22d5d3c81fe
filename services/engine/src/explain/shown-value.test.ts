import { expect, it } from "vitest";
import { Quantity } from "../cel/value.ts";
import { shownValue } from "./shown-value.ts";

it.each([
  [new Quantity(12_500_000n, "EUR"), 'amount("12.5", "EUR")'],
  [new Quantity(-3_000_001n, ""), 'amount("-3.000001")'],
  [new Quantity(0n, "tokens"), 'amount("0", "tokens")'],
  ["a\nb", '"a\\nb"'],
  [5n, "5"],
])("shows %o as %s", (value, text) => expect(shownValue(value)).toBe(text));
