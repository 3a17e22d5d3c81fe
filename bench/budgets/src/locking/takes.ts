import type { NewRecord } from "../../../../services/pdp/src/ledger/index.ts";

/** Whether this is one record that takes a hold of accounts and does nothing else to them: what `lockingStatement` is for. */
export function takesAlone(batch: readonly Pick<NewRecord, "charge">[]): boolean {
  const charge = batch[0]?.charge;
  if (batch.length !== 1 || charge?.hold?.step !== "take" || charge.freezes !== undefined) return false;
  return charge.moves.every(({ posted, overage }) => posted === 0n && overage === 0n);
}
