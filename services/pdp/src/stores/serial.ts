import { Fault } from "../foundation/fault.ts";
import { LedgerUnavailable } from "../ledger/index.ts";

/** Does one thing at a time, in the order of asking. */
export interface Serial {
  /** Rejects with `overloaded` when too many wait, and with `LedgerUnavailable` when its turn does not come in time. */
  run<Value>(work: () => Promise<Value>): Promise<Value>;
  /** Settles when everything that was asked for has ended. */
  idle(): Promise<void>;
}

export function createSerial(waitingMax: number, waitMsMax: number): Serial {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        if (waiting >= waitingMax) {
          const detail = { limit: `${waitingMax} changes`, fix: "ask again later" };
          throw new Fault("exhausted", "overloaded", "too many changes wait", detail);
        }
        waiting++;
        let late = false;
        const timer = setTimeout(() => {
          late = true;
          reject(new LedgerUnavailable("no", new Error(`no turn within ${waitMsMax} ms`)));
        }, waitMsMax);
        last = last.then(async () => {
          waiting--;
          clearTimeout(timer);
          // Whoever was told that it was not done must be right.
          if (!late) await work().then(resolve, reject);
        });
      }),
    idle: () => last,
  };
}
