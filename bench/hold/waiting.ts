import { create, toBinary } from "@bufbuild/protobuf";
import { ExchangeResponseSchema } from "@remit/proto/decision";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createLedger, type NewRecord } from "../../services/pdp/src/ledger/index.ts";
import { toCallError } from "../../services/pdp/src/wire/errors.ts";
import type { Case } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never;
const never = new Promise<never>(() => {});

/** A store whose writers take a statement, and answer nothing any more. */
const away = {
  register: async () => {},
  openWriter: async () => ({ epoch: 1n, lost: never, commit: () => never, close: async () => {} }),
};

const record = (at: number): NewRecord => ({
  ...{ id: `r${at}`, tenant: `t${at % 100}`, session: "s", sessionDay: "2026-11-22", key: Buffer.alloc(16) },
  ...{ request: Buffer.alloc(32), kind: at % 4 === 0 ? "report" : "decision", securityRevision: 1n },
  ...{ digest: Buffer.alloc(32), body: Buffer.alloc(1_000) },
});

/** As many records as may wait come within one moment, and the store is away. */
const overdue: Case = {
  name: `waiting: ${limits.queueRecordsMax} records that nobody confirms in time, and what their callers are told`,
  make: () => {
    let waiting = 0;
    const ledger = createLedger({
      store: away as never,
      writers: 4,
      log: silent,
      limits: { ...limits, recordWaitMsMax: 300 },
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
        while (waiting > 0) await pause();
      },
    );
  },
};

/** Calls whose records wait, at the limits. */
export const waitingCalls: readonly Case[] = [overdue];
