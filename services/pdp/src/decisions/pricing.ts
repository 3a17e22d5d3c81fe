import { costOf } from "@remit/engine";
import { type Priced, pricedBy } from "../budgets/index.ts";
import { type Amount, parseAmount } from "../foundation/amount.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask } from "./ask.ts";

const NOTHING: readonly Amount[] = [];

/** What a call is charged, unit by unit, with the input that runs. */
export function pricedCall({ compiled }: Snapshot, { tool, estimate }: Ask, input: JsonObject): Priced {
  const found = costOf(compiled, tool, input);
  // Such a call is denied but where it is only watched; then what it cost is told when it has run.
  const cost = typeof found === "object" && "problem" in found ? NOTHING : found;
  const maximum = compiled.tools.get(tool)?.maximum?.map(({ unit, value }) => parseAmount(unit, value, "maximum"));
  return pricedBy({ cost, estimate, maximum: maximum ?? NOTHING });
}
