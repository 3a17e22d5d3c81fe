import { Fault } from "../foundation/fault.ts";

/**
 * What is known of a record that is not answered. `no`: it was not recorded and never will be, so whatever was held
 * for it may be given back. `unknown`: it may have been, or may yet be; what was held for it stays taken.
 */
export type Recorded = "no" | "unknown";

/** The ledger cannot answer for a record now. To the caller it is always the same: ask again with the same call. */
export class LedgerUnavailable extends Fault {
  readonly recorded: Recorded;

  constructor(recorded: Recorded, cause?: unknown) {
    super(
      "unavailable",
      "ledger_unavailable",
      recorded === "no"
        ? "the ledger could not record this, so it is not answered"
        : "the ledger could not confirm in time that this is recorded, so it is not answered",
      { fix: "ask again with the same call_id; if it lasts, check that the service reaches its Postgres" },
      cause,
    );
    this.recorded = recorded;
  }
}
