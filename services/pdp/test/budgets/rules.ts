import type { NewRecord } from "../../src/ledger/index.ts";
import type { WorldRules } from "./lanes.ts";
import type { StoreState } from "./store-model.ts";
import { storeRules } from "./store-rules.ts";

/** What becomes of a record on its way from the product's rules to the ledger. */
export type Mangle = (record: NewRecord, state: StoreState) => NewRecord;

export interface Rules extends WorldRules {
  readonly mangle: Mangle;
}

/** As it is built. */
export const protocol: Rules = {
  store: storeRules,
  fence: "waits",
  statement: "finds_its_writer_alive",
  lookUp: "reads",
  lost: "unknown",
  fewer: "left_out",
  numbers: "greatest",
  mangle: (record) => record,
};
