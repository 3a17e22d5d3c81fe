import { expect, test } from "vitest";
import { BEAT_MS, look, nothingSeen, STILL_LOOKS_MAX, suspects, type Watch } from "../../src/ledger/suspicion.ts";
import { backoffMs } from "../../src/ledger/timing.ts";
import { seeded } from "./scheduler.ts";

/*
 * Who is suspected, over hours of outages and pauses played in a moment: the rule as it is, and what it would be by other
 * means. A replica that beats whenever it can must not be suspected; one that died must be.
 */

/** What a store holds of one replica. */
interface Row {
  readonly beats: bigint;
  readonly beatAtMs: number;
}

/** A way to suspect: told of every look, good or failed. */
interface Rule {
  looked(rows: ReadonlyMap<string, Row>, nowMs: number): readonly string[];
  failed(): void;
}

const SILENT_MS = STILL_LOOKS_MAX * BEAT_MS;

const byCounters = (): Rule => {
  let watch: Watch = nothingSeen;
  return {
    looked: (rows) => {
      watch = look(watch, new Map([...rows].map(([name, { beats }]) => [name, beats])));
      return suspects(watch);
    },
    failed: () => {
      watch = nothingSeen;
    },
  };
};

const byTimestamps = (): Rule => ({
  looked: (rows, nowMs) => [...rows].filter(([, row]) => nowMs - row.beatAtMs > SILENT_MS).map(([name]) => name),
  failed: () => {},
});

/** Of its own: since when it has seen no movement. */
const byItsOwnClock = (): Rule => {
  const moved = new Map<string, { readonly beats: bigint; readonly seenAtMs: number }>();
  return {
    looked: (rows, nowMs) => {
      for (const [name, { beats }] of rows) {
        if (moved.get(name)?.beats !== beats) moved.set(name, { beats, seenAtMs: nowMs });
      }
      return [...moved].filter(([, { seenAtMs }]) => nowMs - seenAtMs > SILENT_MS).map(([name]) => name);
    },
    failed: () => {},
  };
};

const withFailedLooksCounted = (): Rule => {
  let watch: Watch = nothingSeen;
  const again = (counters: ReadonlyMap<string, bigint>) => {
    watch = look(watch, counters);
  };
  return {
    looked: (rows) => {
      again(new Map([...rows].map(([name, { beats }]) => [name, beats])));
      return suspects(watch);
    },
    failed: () => again(new Map([...watch].map(([name, { beats }]) => [name, beats]))),
  };
};

const NAMES = ["a", "b", "c"];
const HOURS_MS = 2 * 3_600_000;
const OUTAGE_EVERY_MS = 60_000;
const PAUSE_EVERY_MS = 120_000;
const CONNECT_MS = 1_000;

interface Played {
  /** Living replicas that were suspected although they had not been paused lately. */
  readonly wronged: number;
  /** How long the one that died at the end went unnoticed. */
  readonly noticedAfterMs: number;
}

/** Three replicas, outages for all of them, pauses of one at a time; at the end one of them dies. */
function play(seed: number, newRule: () => Rule): Played {
  const random = seeded(seed);
  const rows = new Map<string, Row>(NAMES.map((name) => [name, { beats: 0n, beatAtMs: 0 }]));
  const replicas = NAMES.map((name) => ({
    ...{ name, rule: newRule(), failures: 0 },
    dueMs: random() * BEAT_MS,
    pausedTillMs: 0,
    // A pause is one's own fault until one has been seen again.
    excusedTillMs: 0,
  }));
  let [outageMs, backMs, pauseMs, wronged, noticedAfterMs] = [OUTAGE_EVERY_MS, 0, PAUSE_EVERY_MS, 0, Infinity];

  for (let nowMs = 0; nowMs < HOURS_MS + 60_000; nowMs += BEAT_MS / 2) {
    const over = nowMs > HOURS_MS;
    if (!over && nowMs > outageMs) {
      backMs = nowMs + random() * 30_000;
      outageMs = backMs + OUTAGE_EVERY_MS * (0.5 + random());
    }
    if (!over && nowMs > pauseMs) {
      const paused = replicas[Math.floor(random() * replicas.length)];
      if (paused) {
        paused.pausedTillMs = nowMs + random() * 20_000;
        paused.excusedTillMs = paused.pausedTillMs + 2 * SILENT_MS;
      }
      pauseMs = nowMs + PAUSE_EVERY_MS * (0.5 + random());
    }
    for (const one of replicas) {
      const dead = over && one.name === "a";
      if (dead || nowMs < one.dueMs || nowMs < one.pausedTillMs) continue;
      if (nowMs < backMs) {
        one.failures++;
        one.rule.failed();
        // A connection that cannot be made is waited for, and then again for the next try.
        one.dueMs = nowMs + random() * CONNECT_MS + backoffMs(one.failures, random);
        continue;
      }
      one.failures = 0;
      one.dueMs = nowMs + BEAT_MS * (1 + random() / 2);
      rows.set(one.name, { beats: (rows.get(one.name)?.beats ?? 0n) + 1n, beatAtMs: nowMs });
      const others = new Map([...rows].filter(([name]) => name !== one.name));
      for (const name of one.rule.looked(others, nowMs)) {
        const suspect = replicas.find((replica) => replica.name === name);
        if (over && name === "a") noticedAfterMs = Math.min(noticedAfterMs, nowMs - HOURS_MS);
        else if (suspect && nowMs > suspect.excusedTillMs) wronged++;
      }
    }
  }
  return { wronged, noticedAfterMs };
}

const SEEDS = [1, 2, 3];

test("over hours of outages and pauses nobody who lives is suspected, and who died is within seconds", () => {
  for (const seed of SEEDS) {
    const { wronged, noticedAfterMs } = play(seed, byCounters);
    expect(wronged, `seed ${seed}`).toBe(0);
    expect(noticedAfterMs).toBeLessThan(2 * SILENT_MS);
  }
});

test.each([
  ["by timestamps in the store", byTimestamps],
  ["by one's own clock", byItsOwnClock],
  ["with failed looks counted", withFailedLooksCounted],
])("known to be wrong: suspicion %s suspects who lives", (_name, rule) => {
  expect(SEEDS.some((seed) => play(seed, rule).wronged > 0)).toBe(true);
});
