import { create, toBinary } from "@bufbuild/protobuf";
import { ExchangeResponseSchema } from "@remit/proto/decision";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createLedger, type Ledger, type NewRecord } from "../../services/pdp/src/ledger/index.ts";
import { CommitFailure } from "../../services/pdp/src/ledger/ledger-store.ts";
import { toCallError } from "../../services/pdp/src/wire/errors.ts";
import type { Case } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never;
const never = new Promise<never>(() => {});

/** A store whose writers take a statement, and answer nothing any more before they are fenced. */
function away() {
  const { promise, reject } = Promise.withResolvers<never>();
  const writer = { epoch: 1n, lost: never, commit: () => promise, close: async () => {} };
  return {
    store: { register: async () => {}, openWriter: async () => writer } as never,
    fence: () => reject(new CommitFailure("fenced", "shut out")),
  };
}
type Away = ReturnType<typeof away>;

const record = (at: number): NewRecord => ({
  ...{ id: `r${at}`, tenant: `t${at % 100}`, session: "s", sessionDay: "2026-11-22", key: Buffer.alloc(16) },
  ...{ request: Buffer.alloc(32), kind: at % 4 === 0 ? "report" : "decision", securityRevision: 1n },
  ...{ digest: Buffer.alloc(32), body: Buffer.alloc(1_000) },
});

/** As many records as may wait come within one moment, and the store is away. */
const refused = (name: string, recordWaitMsMax: number, begin: (ledger: Ledger, store: Away) => void): Case => ({
  name: `waiting: ${limits.queueRecordsMax} records ${name}, and what their callers are told`,
  make: () => {
    let waiting = 0;
    const store = away();
    const ledger = createLedger({
      store: store.store,
      writers: 4,
      log: silent,
      limits: { ...limits, recordWaitMsMax },
    });
    // As much as a stream does about each.
    const ask = async (at: number) => {
      try {
        await ledger.record(record(at));
      } catch (error) {
        const value = toCallError(error);
        toBinary(ExchangeResponseSchema, create(ExchangeResponseSchema, { frame: 1n, body: { case: "error", value } }));
      }
      waiting--;
    };
    return prepareWith(
      async () => {
        await ledger.start();
        for (let at = 0; at < limits.queueRecordsMax; at++) {
          waiting++;
          void ask(at);
        }
      },
      async (pause) => {
        begin(ledger, store);
        while (waiting > 0) await pause();
      },
    );
  },
});

/** Calls whose records wait, at the limits. */
export const waitingCalls: readonly Case[] = [
  refused("that nobody confirms in time", 300, () => {}),
  refused("of a replica that is shut out by another", 60_000, (ledger, { fence }) => {
    ledger.shutOut();
    fence();
  }),
];
