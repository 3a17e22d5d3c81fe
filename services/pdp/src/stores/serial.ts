import { createCrowdRoom } from "../foundation/crowd-room.ts";
import { Fault } from "../foundation/fault.ts";
import { LedgerUnavailable } from "../ledger/index.ts";

/** Who asks for something, and whether it ends something: that has room of its own. */
export interface Turn {
  readonly tenant: string;
  readonly ending: boolean;
}

/**
 * Does one thing at a time, in the order of asking. A quarter of the places is kept for what ends something, and of the
 * rest a tenant may hold no more than twice what is free: however many crowd it, there is a place for another.
 */
export interface Serial {
  /** Rejects with `overloaded` when too many wait, and with `LedgerUnavailable` when its turn does not come in time. */
  run<Value>(turn: Turn, work: () => Promise<Value>): Promise<Value>;
  /** Settles when everything that was asked for has ended. */
  idle(): Promise<void>;
}

const RESERVE = 0.25;
const TENANT_TIMES_FREE = 2;
/** Those whose turn did not come that are told so in one turn of the event loop: hundreds may have come at one moment. */
export const LATE_AT_ONCE_MAX = 16;

function overloaded(limit: string): Fault {
  return new Fault("exhausted", "overloaded", "too many changes wait", { limit, fix: "ask again later" });
}

export function createSerial(waitingMax: number, waitMsMax: number): Serial {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const lateRoom = createCrowdRoom({ atOnceMax: LATE_AT_ONCE_MAX });
  // By tenant; one that waits for nothing has no entry.
  const own = new Map<string, number>();

  const enter = ({ tenant, ending }: Turn) => {
    const max = ending ? waitingMax : Math.ceil(waitingMax * (1 - RESERVE));
    if (waiting >= max) throw overloaded(`${max} changes`);
    const mine = own.get(tenant) ?? 0;
    if (!ending && mine >= TENANT_TIMES_FREE * (max - waiting)) throw overloaded(`${mine} changes of one tenant now`);
    waiting++;
    own.set(tenant, mine + 1);
  };
  const leave = (tenant: string) => {
    waiting--;
    const mine = (own.get(tenant) ?? 1) - 1;
    if (mine === 0) own.delete(tenant);
    else own.set(tenant, mine);
  };

  return {
    run: (turn, work) =>
      new Promise((resolve, reject) => {
        enter(turn);
        let late = false;
        const timer = setTimeout(() => {
          late = true;
          lateRoom.enter(() => reject(new LedgerUnavailable("no", new Error(`no turn within ${waitMsMax} ms`))));
        }, waitMsMax);
        last = last.then(async () => {
          leave(turn.tenant);
          clearTimeout(timer);
          // Whoever was told that it was not done must be right.
          if (!late) await work().then(resolve, reject);
        });
      }),
    idle: () => last,
  };
}
