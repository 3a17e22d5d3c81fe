import { type Behaviour, createBehaviour } from "../../src/behaviour/behaviour.ts";
import type { BehaviourStore, Trailed } from "../../src/behaviour/behaviour-store.ts";
import { type CallLimits, NO_CALL_LIMITS } from "../../src/behaviour/breaker.ts";
import type { BehaviourEvent } from "../../src/behaviour/event.ts";
import { judgeCall } from "../../src/behaviour/judge-call.ts";
import { createRunMemory } from "../../src/behaviour/memory.ts";
import { eventFrom, trailOf } from "../../src/behaviour/trail.ts";
import { leastUuidAt } from "../../src/foundation/ids.ts";

/** What may be wrong. Each must be found, or the simulation proves nothing. */
export const FLAWS = [
  "counted before it is acknowledged",
  "reset by a restart",
  "a success of another tool resets",
  "the back-off is lost",
  "replays are counted",
  "other replicas are not followed",
] as const;
export type Flaw = (typeof FLAWS)[number];

const LIMITS: CallLimits = { ...NO_CALL_LIMITS, identical: 3, failures: 3, denials: 3 };
const RUN = "run";

interface Row extends Trailed {
  readonly writer: bigint;
  readonly n: bigint;
  readonly tenant: string;
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What was committed, and who may read it: a ledger of several writers. */
function createLedger() {
  const rows: Row[] = [];
  const commit = (writer: bigint, event: BehaviourEvent) => {
    const n = BigInt(rows.filter((row) => row.writer === writer).length + 1);
    const subject = event.event === "end" ? event.decision : null;
    const { id, session } = event;
    rows.push({ writer, n, tenant: "t", run: RUN, id, session, subject, trail: trailOf(event) });
  };
  const storeOf = (own: bigint, flaw: Flaw | undefined): BehaviourStore => ({
    latest: async (_tenant, run, fromId) =>
      flaw === "reset by a restart" ? [] : rows.filter((row) => row.run === run && row.id >= fromId),
    since: async (cursors) => {
      const others = flaw === "other replicas are not followed" ? [] : rows.filter(({ writer }) => writer !== own);
      const stand = new Map<bigint, bigint>();
      for (const { writer, n } of others) stand.set(writer, n);
      return {
        cursors: stand,
        records: cursors ? others.filter(({ writer, n }) => n > (cursors.get(writer) ?? 0n)) : [],
      };
    },
    resets: async () => [],
  });
  return { rows, commit, storeOf };
}

interface Replica {
  readonly writer: bigint;
  readonly behaviour: Behaviour;
}

/** As one that is wrong would know an event. */
function flawed(event: BehaviourEvent, flaw: Flaw | undefined): BehaviourEvent[] {
  if (flaw === "a success of another tool resets" && event.event === "end" && event.outcome === "succeeded") {
    return ["pay", "read"].map((tool) => ({ ...event, tool }));
  }
  if (flaw === "the back-off is lost" && event.event === "call" && event.trip) {
    return [{ ...event, trip: { ...event.trip, level: 0, untilMs: event.atMs } }];
  }
  return [event];
}

/** What somebody sees who reads all that was committed, and forgets nothing. */
function truth(rows: readonly Row[]) {
  const memory = createRunMemory();
  for (const row of rows) {
    const event = eventFrom(row);
    if (event) memory.add(event);
  }
  return memory;
}

/**
 * Two replicas decide the calls of one run, in turns that chance makes: they are restarted, commits are lost, callers ask
 * again, and each hears of the other now and then. Whenever both have heard all, each must answer as whoever reads the
 * whole ledger would. Answers what was wrong first, or undefined.
 */
export async function simulate(seed: number, steps: number, flaw?: Flaw): Promise<string | undefined> {
  const chance = random(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item;
  const ledger = createLedger();
  let writers = 0n;
  let ids = 0;
  let nowMs = Date.parse("2026-11-21T12:00:00Z");
  const newId = () => leastUuidAt(nowMs).slice(0, 24) + (++ids).toString(16).padStart(12, "0");
  const start = async (): Promise<Replica> => {
    const writer = ++writers;
    const behaviour = createBehaviour({ store: ledger.storeOf(writer, flaw), runsMax: 10, eventsMax: 10_000 });
    await behaviour.follow();
    return { writer, behaviour };
  };
  const replicas: [Replica, Replica] = [await start(), await start()];
  const record = ({ writer, behaviour }: Replica, event: BehaviourEvent): boolean => {
    const told = () => {
      for (const one of flawed(event, flaw)) behaviour.recorded(RUN, one);
    };
    if (flaw === "counted before it is acknowledged") told();
    // The store was away: nothing was recorded, and nothing is answered.
    if (chance() < 0.1) return false;
    ledger.commit(writer, event);
    if (flaw !== "counted before it is acknowledged") told();
    return true;
  };

  for (let at = 0; at < steps; at++) {
    nowMs += pick([500, 1_000, 5_000, 20_000]);
    const place = chance() < 0.5 ? 0 : 1;
    if (chance() < 0.08) replicas[place] = await start();
    const replica = replicas[place];
    const [session, tool, input] = [
      pick(["root", "root", "child"]),
      pick(["pay", "pay", "read"]),
      pick(["a", "a", "b"]),
    ];
    for (const { behaviour } of replicas) await behaviour.follow();
    const memory = replica.behaviour.held(RUN) ?? (await replica.behaviour.load("t", RUN, nowMs));
    const asked = { session, tool, call: `c${at}`, input: () => input, observed: false };
    const when = { nowMs, resetMs: 0 };
    const stopped = judgeCall(memory, LIMITS, asked, when);
    const expected = judgeCall(truth(ledger.rows), LIMITS, asked, when);
    if (JSON.stringify(stopped) !== JSON.stringify(expected)) {
      return `step ${at}: ${JSON.stringify(stopped)} instead of ${JSON.stringify(expected)}`;
    }
    const seen = { event: "call", id: newId(), atMs: nowMs, session, tool, input, call: `c${at}`, attempt: 1 } as const;
    if (stopped) {
      const { measure, level, untilMs, opened } = stopped;
      const { kind, reach, of } = measure;
      if (opened)
        record(replica, { ...seen, said: "denied", trip: { kind, reach, of, level, untilMs, observed: false } });
      continue;
    }
    const denied = chance() < 0.25;
    const said = denied ? ({ said: "denied", denial: "policy" } as const) : ({ said: "let" } as const);
    if (!record(replica, { ...seen, ...said })) continue;
    // Its caller did not hear the answer: what is asked again finds what was recorded, and is recorded by nobody.
    if (chance() < 0.2 && flaw === "replays are counted") {
      replica.behaviour.recorded(RUN, { ...seen, ...said, id: newId(), call: `c${at}-again` });
    }
    if (denied || chance() < 0.2) continue;
    const outcome = chance() < 0.6 ? "failed" : "succeeded";
    const end = { event: "end", id: newId(), atMs: nowMs, session, tool, input } as const;
    record(pick(replicas), { ...end, decision: seen.id, outcome, calledAtMs: nowMs, output: "" });
  }
  return undefined;
}
