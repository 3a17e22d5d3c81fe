import type { Asker } from "../../src/decisions/ask.ts";
import { limits } from "../../src/foundation/limits.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { createLedger, type Ledger, LedgerUnavailable } from "../../src/ledger/index.ts";
import type { Snapshot, Snapshots } from "../../src/policies/index.ts";
import { createFront, type Front } from "./front.ts";
import type { Mangle } from "./rules.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Replica, World } from "./world-port.ts";

/** One process after another in the same place. */
export interface Slot {
  readonly name: string;
  replica: Replica;
  front: Front;
}

/** The replicas of one store. */
export interface House {
  readonly slots: readonly Slot[];
  /** Puts a new process in a slot. The one before is dead or shut out. */
  replace(slot: Slot): void;
  /** Ids of records that a replica said were not recorded and never will be. */
  readonly denied: Set<string>;
}

interface Options {
  readonly scheduler: Scheduler;
  readonly world: World;
  readonly random: () => number;
  readonly product: { readonly snapshots: Snapshots; readonly snapshot: Snapshot };
  readonly mangle: Mangle;
  readonly replicas: number;
  readonly askers: ReadonlyMap<string, Asker>;
}

const WRITERS = 2;
const ROOM = { ...limits, batchRecordsMax: 6, recordWaitMsMax: 2_000 };

export function createHouse({ scheduler, world, random, product, mangle, replicas, askers }: Options): House {
  const denied = new Set<string>();
  const slots: Slot[] = [];
  let born = 0;
  let ids = 0;

  const watched = (ledger: Ledger): Ledger => ({
    ...ledger,
    // How long a caller still waits is by the machine's clock: here it is always as long.
    record: (record) => {
      const sent = mangle(record, world.state);
      return ledger.record(sent).catch((error) => {
        if (error instanceof LedgerUnavailable && error.recorded === "no") denied.add(sent.id);
        throw error;
      });
    },
  });

  const open = (name: string): Omit<Slot, "name"> => {
    born++;
    const replica: Replica = {
      name: `${name}.${born}`,
      state: "running",
      skewMs: 0,
      believes: born % 2 === 0,
      reaches: true,
    };
    const timing = { ...scheduler.timing(replica), random };
    const ledger = createLedger({
      store: world.ledgerStore(replica),
      writers: WRITERS,
      limits: ROOM,
      log: silentLog,
      timing,
    });
    // One that cannot start is replaced by whoever heals what kept it.
    ledger.start().catch(() => {
      replica.state = "dead";
    });
    const newId = () => `${replica.name}-${++ids}`;
    const front = createFront({ world, scheduler, ledger: watched(ledger), replica, product, newId, askers, mangle });
    return { replica, front };
  };

  for (let at = 0; at < replicas; at++) {
    const name = "ABC"[at] ?? "";
    slots.push({ name, ...open(name) });
  }
  return {
    slots,
    denied,
    replace: (slot) => void Object.assign(slot, open(slot.name)),
  };
}
