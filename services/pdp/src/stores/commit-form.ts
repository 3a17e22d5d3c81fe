import type { QueryArrayConfig } from "pg";
import type { NewRecord } from "../ledger/index.ts";
import { aloneQuery, readCommittedAlone } from "./alone-statement.ts";
import { type ChargedToo, readCharged } from "./charge-columns.ts";
import { chargedQuery } from "./charged-statement.ts";
import { type Committed, commitQuery, readCommitted } from "./ledger-statement.ts";
import { wholeQuery } from "./whole-statement.ts";

/** What a commit said. */
export interface Said {
  readonly told: Committed;
  readonly charged: ChargedToo;
}

/** What a batch is sent as, and how its answer is read. */
export interface CommitForm {
  readonly config: QueryArrayConfig;
  /** Undefined: nothing was done, and the batch is to be sent in the form that says of each record why. */
  read(row: unknown[] | undefined): Said | undefined;
}

const NOTHING_CHARGED: ChargedToo = { left: new Map(), balances: new Map() };

const isCharged = (batch: readonly NewRecord[]) => batch.some(({ charge }) => charge !== undefined);

/** The form for a batch of one record, or for one that charges and fits as a whole; undefined where it has neither. */
export function quickForm(writer: bigint, base: bigint, batch: readonly NewRecord[]): CommitForm | undefined {
  const alone = aloneQuery(writer, base, batch);
  if (alone) {
    const read: CommitForm["read"] = (row) => {
      const said = readCommittedAlone(row, base);
      return said && { told: said.told, charged: readCharged(null, said.after) };
    };
    return { config: alone, read };
  }
  const whole = isCharged(batch) ? wholeQuery(writer, base, batch) : undefined;
  if (!whole) return undefined;
  const read: CommitForm["read"] = (row) => {
    const told = readCommitted(row);
    if (told.alive && row?.[4] !== true) return undefined;
    return { told, charged: readCharged(null, row?.[5] as string | null) };
  };
  return { config: whole, read };
}

/** The form that says of each record why it is left out. `skip`: what something else has locked is not waited for. */
export function fullForm(
  writer: bigint,
  base: bigint,
  batch: readonly NewRecord[],
  waiting: "wait" | "skip",
): CommitForm & { read(row: unknown[] | undefined): Said } {
  if (!isCharged(batch)) {
    const config = commitQuery(writer, base, batch);
    return { config, read: (row) => ({ told: readCommitted(row), charged: NOTHING_CHARGED }) };
  }
  return {
    config: chargedQuery(writer, base, batch, waiting),
    read: (row) => ({
      told: readCommitted(row),
      charged: readCharged(row?.[4] as string | null, row?.[5] as string | null),
    }),
  };
}
