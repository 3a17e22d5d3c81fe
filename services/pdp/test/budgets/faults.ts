import type { House, Slot } from "./house.ts";
import type { Scheduler } from "./scheduler.ts";
import { setOwnLimit } from "./store-model.ts";
import type { Declared, Settings, World } from "./world-port.ts";
import { TENANT } from "./world-port.ts";

/** What can befall the house. It answers whom it befell, null where it could not, undefined where it befell all. */
export type Fault = (from: Befallen) => Slot | null | undefined;

export interface Befallen {
  readonly world: World;
  readonly house: House;
  readonly scheduler: Scheduler;
  readonly declared: readonly Declared[];
  readonly random: () => number;
  /** Whom it should befall where it can. */
  readonly prefer?: Slot | undefined;
  /** Whom it must not befall. */
  readonly spare?: Slot | undefined;
}

const MINUTE_MS = 60_000;

export function pick<Value>(random: () => number, from: readonly Value[]): Value | undefined {
  return from[Math.floor(random() * from.length)];
}

const running = ({ house }: Befallen) => house.slots.filter(({ replica }) => replica.state === "running");
const one = (from: Befallen, of: readonly Slot[], what: (slot: Slot) => void): Slot | null => {
  const others = of.filter((each) => each !== from.spare);
  const slot = others.find((each) => each === from.prefer) ?? pick(from.random, others);
  if (slot) what(slot);
  return slot ?? null;
};
const budgetOf = ({ world, declared, random }: Befallen) => {
  const name = pick(random, declared)?.name;
  return world.state.budgets.get(`${TENANT}/${name}`);
};
const changeLimit = (from: Befallen, by: (limit: bigint) => bigint): null | undefined => {
  const budget = budgetOf(from);
  if (!budget) return null;
  budget.limit = by(budget.limit);
  return undefined;
};
const setFrozen = ({ world, random }: Befallen, frozen: boolean): null | undefined => {
  const budgets = [...world.state.budgets.values()].filter((budget) => budget.frozen !== frozen);
  const budget = pick(random, budgets);
  if (!budget) return null;
  budget.frozen = frozen;
  return undefined;
};
/** An operator freezes an account, or lets it go on. */
const setAccountFrozen = ({ world, random }: Befallen, frozen: boolean): null | undefined => {
  const accounts = [...world.state.accounts.values()].filter((account) => account.frozen !== frozen);
  const account = pick(random, accounts);
  if (!account) return null;
  account.frozen = frozen;
  if (frozen) world.frozen.add(account.id);
  else world.frozen.delete(account.id);
  return undefined;
};
const setTenant = ({ world }: Befallen, changed: Partial<Settings>): null | undefined => {
  const now = { ...world.settings(), ...changed };
  if (now.suspended === world.settings().suspended && now.watched === world.settings().watched) return null;
  world.set(changed);
  return undefined;
};
const kill = ({ scheduler, world, random }: Befallen, slot: Slot) => {
  slot.replica.state = "dead";
  scheduler.forget(slot.replica);
  world.cut(slot.replica, random() < 0.5 ? "killed" : "lives_on");
};
/** An operator ends one of the holds that are open. What waits for people has not run, so it cannot have been spent. */
const resolveOne = (from: Befallen, as: "spent" | "released"): null | undefined => {
  const holds = [...from.world.state.holds.values()].filter(({ pending }) => as === "released" || !pending);
  const hold = pick(from.random, holds);
  const slot = pick(from.random, running(from));
  if (!hold || !slot) return null;
  void slot.front.resolve(hold.id, as).catch(() => {});
  return undefined;
};
const sweepOn = (slot: Slot) => void slot.front.sweep().catch(() => {});

/** By their names. */
export const faults: Readonly<Record<string, Fault>> = {
  "replica killed": (from) => one(from, running(from), (slot) => kill(from, slot)),
  "replica started anew": (from) =>
    one(
      from,
      from.house.slots.filter(({ replica }) => replica.state === "dead"),
      (slot) => from.house.replace(slot),
    ) && undefined,
  "replica paused": (from) =>
    one(from, running(from), (slot) => {
      slot.replica.state = "paused";
    }),
  "replica resumed": (from) =>
    one(
      from,
      from.house.slots.filter(({ replica }) => replica.state === "paused"),
      (slot) => {
        slot.replica.state = "running";
      },
    ),
  "replica shut out by another": (from) =>
    one(
      from,
      from.house.slots.filter(({ replica }) => replica.state === "paused" || !replica.reaches),
      (slot) => {
        void from.world.fence(slot.replica);
      },
    ),
  "replica partitioned": (from) =>
    one(
      from,
      running(from).filter(({ replica }) => replica.reaches),
      ({ replica }) => {
        replica.reaches = false;
        from.world.cut(replica, "lives_on");
      },
    ),
  "partition healed": (from) =>
    one(
      from,
      from.house.slots.filter(({ replica }) => !replica.reaches),
      ({ replica }) => {
        replica.reaches = true;
      },
    ) && undefined,
  "connection cut, backend killed": (from) =>
    one(from, running(from), ({ replica }) => from.world.cut(replica, "killed")),
  "connection cut, backend lives on": (from) =>
    one(from, running(from), ({ replica }) => from.world.cut(replica, "lives_on")),
  "store restarted": ({ world }) => {
    world.setAway(true);
    world.setAway(false);
    return undefined;
  },
  "store's answer lost": ({ world }) => void world.loseNextAnswer(),
  "seconds pass": ({ world, random }) => void world.leap(Math.floor(random() * MINUTE_MS)),
  "minutes pass": ({ world, random }) => void world.leap(Math.floor((3 + random() * 5) * MINUTE_MS)),
  "holds run out, and are swept": (from) => {
    from.world.leap((7 + from.random()) * MINUTE_MS);
    return one(from, running(from), sweepOn) && undefined;
  },
  "clock wrong by minutes": (from) =>
    one(from, from.house.slots, ({ replica }) => {
      replica.skewMs = Math.floor((from.random() * 14 - 7) * MINUTE_MS);
    }),
  "limit raised": (from) => changeLimit(from, (limit) => (limit * 3n) / 2n),
  "limit lowered": (from) => changeLimit(from, (limit) => limit / 2n),
  "budget frozen": (from) => setFrozen(from, true),
  "budget thawed": (from) => setFrozen(from, false),
  "budget deleted": (from) => {
    const budget = budgetOf(from);
    if (!budget) return null;
    from.world.remove(budget.name);
    return undefined;
  },
  "budget declared again": (from) => {
    const gone = from.declared.filter(({ name }) => !from.world.state.budgets.has(`${TENANT}/${name}`));
    const name = pick(from.random, gone)?.name;
    if (!name) return null;
    from.world.state.budgets.set(`${TENANT}/${name}`, { tenant: TENANT, name, limit: 20_000_000n, frozen: false });
    return undefined;
  },
  "account frozen": (from) => setAccountFrozen(from, true),
  "account thawed": (from) => setAccountFrozen(from, false),
  "account given a limit of its own": ({ world, random }) => {
    const account = pick(
      random,
      [...world.state.accounts.values()].filter(({ budget }) => budget !== null),
    );
    if (!account) return null;
    setOwnLimit(account, BigInt(Math.floor(random() * 30)) * 1_000_000n);
    return undefined;
  },
  "alarm set aside by an operator": ({ world, random }) => {
    const account = pick(
      random,
      [...world.state.accounts.values()].filter(({ alarm }) => alarm !== undefined),
    );
    if (!account) return null;
    delete account.alarm;
    return undefined;
  },
  "tenant suspended": (from) => setTenant(from, { suspended: true }),
  "tenant active again": (from) => setTenant(from, { suspended: false }),
  "policies only watched": (from) => setTenant(from, { watched: true }),
  "policies enforced again": (from) => setTenant(from, { watched: false }),
  "account held by an administrator": (from) => {
    const account = pick(from.random, [...from.world.state.accounts.keys()]);
    if (account === undefined) return null;
    from.world.clung.add(account);
    return undefined;
  },
  "account let go": ({ world }) => {
    if (world.clung.size === 0) return null;
    world.clung.clear();
    return undefined;
  },
  "hold resolved by an operator: spent": (from) => resolveOne(from, "spent"),
  "hold resolved by an operator: released": (from) => resolveOne(from, "released"),
  "holds swept": (from) => one(from, running(from), sweepOn),
  "holds swept by two at once": (from) => {
    const slots = running(from);
    if (slots.length < 2) return null;
    slots.slice(0, 2).forEach(sweepOn);
    return undefined;
  },
};

/**
 * What a schedule draws from: what lets holds run out comes more often, since only then late reports are late; and what
 * ends a spell in which little can be held more often than what begins it.
 */
export const drawn: readonly string[] = [
  ...Object.keys(faults),
  ...Array<string>(3).fill("holds run out, and are swept"),
  ...["tenant active again", "budget thawed", "account thawed"],
  ...Array<string>(3).fill("policies enforced again"),
];

/** Of these the preparation must befall another replica: what it does to the one that is waited for ends what it does. */
export const preparedElsewhere: ReadonlySet<string> = new Set(["replica started anew", "partition healed"]);

/** What has to come before a fault, so that it can. */
export const preparation: Readonly<Record<string, string>> = {
  "replica started anew": "replica killed",
  "replica resumed": "replica paused",
  "replica shut out by another": "replica paused",
  "partition healed": "replica partitioned",
  "budget thawed": "budget frozen",
  "budget declared again": "budget deleted",
  "account thawed": "account frozen",
  "tenant active again": "tenant suspended",
  "policies enforced again": "policies only watched",
  "account let go": "account held by an administrator",
};
