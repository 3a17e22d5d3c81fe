import { type Ledger, LedgerUnavailable, type NewRecord, type StoredRecord } from "../../src/ledger/index.ts";
import { keyOf } from "../ledger/world.ts";

/** The rules that calls rest on, each of which can be left out. */
export interface CallRules {
  /** What a second record under a key is. */
  readonly keys: "unique" | "not_unique" | "not_unique_for_aliases";
  /** Whether the same key with another request is told apart. */
  readonly requests: "compared" | "not_compared";
  /** Where a report stands that came before its decision. */
  readonly gaveUp: "in_the_decision's_place" | "in_its_own";
  /** How many attempts of a call are found. */
  readonly attempts: "all" | "the_first";
  /** Whether what was reported of a decision is found. */
  readonly reports: "found" | "forgotten";
}

export const callRules: CallRules = {
  keys: "unique",
  requests: "compared",
  gaveUp: "in_the_decision's_place",
  attempts: "all",
  reports: "found",
};

interface Row {
  readonly record: StoredRecord;
  readonly key: string;
  readonly request: string;
  readonly subject: string | undefined;
}

export interface CallLedger {
  readonly ledger: Ledger;
  readonly records: readonly StoredRecord[];
  /** The next record is recorded, and its answer is lost. */
  loseNextAnswer(): void;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** A ledger that records in one step and answers in another, so that whatever can come in between does. */
export function createCallLedger(rules: CallRules, step: (name: string) => Promise<void>): CallLedger {
  const rows: Row[] = [];
  let losing = false;

  const keyFor = (record: NewRecord): string => {
    const isEarly = record.kind === "report" && record.subject === undefined;
    return isEarly && rules.gaveUp === "in_its_own" ? `early/${record.id}` : keyOf(record);
  };
  const isUnique = (record: NewRecord) =>
    rules.keys === "unique" || (rules.keys === "not_unique_for_aliases" && record.kind !== "alias");
  const find = (wanted: (row: Row) => boolean) => rows.find(wanted)?.record ?? null;

  const insert = (record: NewRecord): Awaited<ReturnType<Ledger["record"]>> => {
    const key = keyFor(record);
    const request = hex(record.request);
    const taken = isUnique(record) ? rows.find((row) => row.key === key) : undefined;
    if (taken) {
      const same = taken.request === request || rules.requests === "not_compared";
      return { outcome: same ? "existing" : "reused", record: taken.record };
    }
    const { id, tenant, session, kind, digest, body, aside, subject } = record;
    const ref = { epoch: 1n, n: BigInt(rows.length + 1) };
    const stored = { ...ref, id, tenant, session, kind, digest, body, ...(aside && { aside }) };
    rows.push({ record: stored, key, request, subject });
    return { outcome: "inserted", ref };
  };

  return {
    get records() {
      return rows.map(({ record }) => record);
    },
    loseNextAnswer: () => {
      losing = true;
    },
    ledger: {
      start: async () => {},
      close: async () => {},
      fill: () => 0,
      shutOut: () => {},
      state: () => {
        throw new Error("nobody asks");
      },
      async record(record) {
        await step("record travels");
        const outcome = insert(record);
        const lost = losing;
        losing = false;
        await step("answer travels");
        if (lost) throw new LedgerUnavailable("unknown");
        return outcome;
      },
      async findByKeys(tenant, session, _day, keys) {
        await step("look-up by keys");
        const found = keys.map((key) => find((row) => row.key === keyOf({ tenant, session, key })));
        return rules.attempts === "all" || keys.length === 1 ? found : found.map(() => null);
      },
      async findById(tenant, id) {
        await step("look-up by id");
        return find(({ record }) => record.tenant === tenant && record.id === id);
      },
      listDecisions: async () => ({ records: [], more: false }),
      withAsides: async () => [],
      async findBySubject(_tenant, subject) {
        await step("look-up of reports");
        if (rules.reports === "forgotten") return [];
        return rows.filter((row) => row.subject === subject).map(({ record }) => record);
      },
    },
  };
}
