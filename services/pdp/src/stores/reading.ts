import pg from "pg";
import { Fault } from "../foundation/fault.ts";

// Cancelled or timed out, no connections or memory left, the server starting, stopping or gone.
const STORE_AT_FAULT = /^(?:08|25P0[34]|40|53|55P03|57)/;

/** What a read failed of: a store that is away is unavailable, not a defect of ours. */
function readFailure(error: unknown): unknown {
  // That this is another Postgres than before is for operators to know; to a caller the store is away.
  if (error instanceof Fault && error.kind !== "precondition") return error;
  if (error instanceof pg.DatabaseError && !STORE_AT_FAULT.test(error.code ?? "")) return error;
  return new Fault("unavailable", "ledger_unavailable", "the store cannot be read", { fix: "ask again later" }, error);
}

type Reads = Readonly<Record<string, (...asked: never[]) => Promise<unknown>>>;

/** The same reads, that throw `ledger_unavailable` when the store is away. */
export function reading<Port extends object>(reads: Port): Port {
  const guarded = Object.entries(reads as Reads).map(([name, read]) => [
    name,
    async (...asked: never[]) => {
      try {
        return await read(...asked);
      } catch (error) {
        throw readFailure(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as Port;
}
