import { leastUuidAt } from "../foundation/ids.ts";
import type { NewRecord } from "../ledger/index.ts";
import { aloneQuery } from "./alone-statement.ts";
import { chargedQuery } from "./charged-statement.ts";
import { wholeQuery } from "./whole-statement.ts";

const ROUNDS = 40;
const RECORDS = 64;
const MOVES = 8;

function records(): NewRecord[] {
  const moves = Array.from({ length: MOVES }, (_, at) => ({ account: BigInt(at), held: 1n, posted: 0n, overage: 0n }));
  const body = Buffer.alloc(2_048);
  return Array.from({ length: RECORDS }, (_, at) => ({
    ...{ id: leastUuidAt(at), tenant: "warm", session: leastUuidAt(0), sessionDay: "2026-01-01" },
    ...{ key: Buffer.alloc(16, at), request: Buffer.alloc(32), kind: "decision", securityRevision: 1n },
    ...{ digest: Buffer.alloc(32), body },
    charge: { moves, hold: { step: "take", expiresAtMs: at, pending: false } },
  }));
}

/** Has the machine compiled what writes commits down, before anybody is let in: the first large one would hold the thread for longer. */
export async function warmUpCommits(pause: () => Promise<void>): Promise<void> {
  const batch = records();
  for (let round = 0; round < ROUNDS; round++) {
    for (const record of batch) aloneQuery(1n, 1n, [record]);
    wholeQuery(1n, 1n, batch);
    chargedQuery(1n, 1n, batch);
    await pause();
  }
}
