import { invalid } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Attempt } from "./approving.ts";
import type { Change } from "./change-store.ts";
import { tenantOf } from "./changes.ts";
import { plannedRows } from "./planned-rows.ts";
import type { PlannedRow } from "./proposal-store.ts";

function notProposable(message: string): Error {
  return invalid("message", message, { fix: "propose a change of your own tenant that its method would make" });
}

/**
 * Checks an RPC up to where it would make its change, and answers the rows that it would write. Throws what the RPC
 * throws: whoever is not allowed, and what does not fit.
 */
export async function planOf(attempt: Attempt, by: Caller): Promise<readonly PlannedRow[]> {
  let planned: Change | undefined;
  const stop = new Error("nothing is made yet");
  await attempt(by, async (_by, change) => {
    planned = change;
    throw stop;
  }).catch((error: unknown) => {
    if (error !== stop) throw error;
  });
  // Assigned by what was attempted, which the type checker cannot see.
  const change = planned as Change | undefined;
  if (!change) throw notProposable("this changes nothing");
  if (tenantOf(by, change) !== by.tenant) throw notProposable("this is a change of another tenant");
  const rows = plannedRows(change);
  if (!rows) throw notProposable("this takes one person");
  return rows;
}
