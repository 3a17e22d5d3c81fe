import { seeded } from "../ledger/scheduler.ts";
import { faultNames, stepNames } from "./coverage.ts";
import { type Befallen, faults, pick, preparation, preparedElsewhere } from "./faults.ts";
import type { House, Slot } from "./house.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a schedule lies in wait for: faults that are to befall one step of the protocol, and what makes that step likely. */
export interface Aim {
  readonly step: string;
  readonly faults: readonly string[];
  /** Faults and habits that lead there. */
  readonly leads: readonly string[];
}

const AIMS_SHARE = 0.8;
const FAULTS_AIMED = 5;
/** Steps that it takes much to come to, and how many of the schedules that aim at anything aim at one of them. */
const RARE = [
  ...["correction: arrives", "correction: commits", "correction: answer travels", "correction: second look"],
  ...["correction: second look", "correction: second look", "resolution: second look"],
  ...["running: arrives", "running: commits", "running: answer travels", "running: second look"],
  ...["denial: arrives", "denial: answer travels", "denial: second look"],
  ...["adoption: arrives", "adoption: commits", "adoption: answer travels", "adoption: second look"],
  ...["watched instead: arrives", "watched instead: commits", "watched instead: answer travels"],
  ...["watched instead: second look", "watched report: second look"],
  ...["report without a hold: arrives", "report without a hold: second look"],
  ...["alias: second look", "alias: answer travels", "overdue read: arrives", "overdue read: answer travels"],
];
const RARE_SHARE = 0.4;
/** What it takes much to strike with comes more often. */
const aimable = [
  ...faultNames,
  ...["replica resumed", "replica resumed", "replica shut out by another", "replica started anew", "account let go"],
];

/** What leads to records of a kind. */
const leadsTo: Readonly<Record<string, readonly string[]>> = {
  alias: ["same call asked under another id", "caller asks twice at once"],
  escalate: ["asks people"],
  adoption: ["asks people", "approval used twice at once"],
  denial: ["asks people", "approval used twice at once"],
  watched: ["policies only watched"],
  "watched instead": ["asks people", "approval used twice at once", "policies only watched", "policies enforced again"],
  "watched report": ["policies only watched", "report sent twice", "watched call asked again after its report"],
  running: ["report that it still runs", "report late", "minutes pass", "holds swept"],
  "report without a hold": ["report that nobody knows", "report sent twice"],
  settlement: ["report sent twice"],
  correction: [
    "report late",
    "report sent twice",
    "holds run out, and are swept",
    "hold resolved by an operator: spent",
    "hold resolved by an operator: released",
  ],
  expiry: [
    ...["report never sent", "report late", "holds run out, and are swept", "holds swept by two at once"],
    "report that it still runs",
  ],
  resolution: ["report late", "hold resolved by an operator: spent", "hold resolved by an operator: released"],
  "overdue read": ["report that it still runs", "report late", "minutes pass", "holds swept"],
  fence: ["connection cut, backend lives on"],
  "policies read": ["tenant suspended", "tenant active again"],
  "asker read": ["caller asks twice at once", "answer lost on its way to the caller"],
  "look up": ["connection cut, backend lives on", "connection cut, backend killed", "store restarted"],
};
/** Of these more are wanted: it takes two about one call at once. */
const CROWDED = ["caller asks twice at once", "report sent twice", "holds swept by two at once"];

/** What a schedule aims at; null: it lets come what may. */
export function aimOf(seed: number): Aim | null {
  const random = seeded(seed ^ 0x2c1b);
  if (random() >= AIMS_SHARE) return null;
  const step = pick(random, random() < RARE_SHARE ? RARE : stepNames) ?? "";
  const aimed = Array.from({ length: FAULTS_AIMED }, () => pick(random, aimable) ?? "");
  const [kind = "", where] = step.split(": ");
  return { step, faults: aimed, leads: [...(leadsTo[kind] ?? []), ...(where === "second look" ? CROWDED : [])] };
}

interface Options {
  readonly aim: Aim;
  readonly scheduler: Scheduler;
  readonly house: House;
  readonly random: () => number;
  readonly strike: (fault: string, whom: Pick<Befallen, "prefer" | "spare">) => void;
}

/** Between two of its turns a schedule looks whether what it waits for is under way, and strikes. Answers whether it may again. */
export function createAmbush({ aim, scheduler, house, random, strike }: Options): () => boolean {
  // What callers do they do themselves, and wait for the moment.
  const left = aim.faults.filter((fault) => faults[fault]);
  let prepared: { readonly slot: Slot | undefined; turns: number } | undefined;
  return () => {
    const [fault] = left;
    if (fault === undefined) return false;
    if (prepared) {
      if (prepared.turns-- > 0) return true;
      left.shift();
      strike(fault, { prefer: prepared.slot });
      prepared = undefined;
      return true;
    }
    if (!scheduler.underWay().includes(aim.step)) return true;
    const slot = house.slots.find(({ replica }) => scheduler.underWay(replica).includes(aim.step));
    const before = preparation[fault];
    if (before === undefined) {
      left.shift();
      strike(fault, { prefer: slot });
      return true;
    }
    const elsewhere = preparedElsewhere.has(fault);
    strike(before, elsewhere ? { spare: slot } : { prefer: slot });
    prepared = { slot: elsewhere ? undefined : slot, turns: Math.floor(random() * 3) };
    return true;
  };
}
