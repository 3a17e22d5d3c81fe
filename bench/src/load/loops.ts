import { type LatencyUs, latencyRecorder } from "./latency.ts";
import { dueBy, dueMs } from "./schedule.ts";
import type { Target } from "./target.ts";
import type { Sleeper } from "./ticker.ts";

export interface Phases {
  /** Load that is applied and not counted. */
  readonly warmupMs: number;
  readonly durationMs: number;
}

export interface LoopResult {
  readonly answered: number;
  /** Good answers of the whole run, those included that are not counted: what a server's books must hold. */
  readonly good: number;
  /** Calls of the whole run that got no good answer, so that nobody knows what became of them. */
  readonly unsure: number;
  readonly failed: number;
  /** What the failed calls got instead of an answer, each with how often. */
  readonly failures: Record<string, number>;
  /** Due in time but not answered when the run was given up. */
  readonly unanswered: number;
  /** Good answers a second of the counted time. */
  readonly perSecond: number;
  /** From when the call was due (open loop) or sent (closed loop) to its whole answer. */
  readonly latencyUs: LatencyUs;
  /** From when a call was due to when it was handed to the socket: the load generator's own share of the latency. */
  readonly lateUs: LatencyUs;
  readonly problems: Record<string, number>;
}

const drainMs = 3_000;
const unansweredMax = 20_000;

/** Keeps `inFlight` calls in flight: each answer sends the next call. Finds throughput; its latency hides stalls. */
export async function closedLoop(target: Target, inFlight: number, phases: Phases): Promise<LoopResult> {
  const latency = latencyRecorder();
  const startMs = performance.now() + phases.warmupMs;
  const endMs = startMs + phases.durationMs;
  const failures = tally();
  let open = 0;
  let good = 0;
  let bad = 0;
  let finished: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const ask = () => {
    const sentMs = performance.now();
    open += 1;
    target.call((failure) => {
      open -= 1;
      if (failure === undefined) good += 1;
      else bad += 1;
      const nowMs = performance.now();
      if (nowMs >= startMs && nowMs < endMs) {
        if (failure === undefined) latency.recordMs(nowMs - sentMs);
        else failures.add(failure);
      }
      if (nowMs < endMs) ask();
      else if (open === 0) finished();
    });
  };
  for (let i = 0; i < inFlight; i += 1) ask();
  await Promise.race([over, target.lost, after(phases.warmupMs + phases.durationMs + drainMs)]);
  const latencyUs = latency.summary();
  return {
    answered: latencyUs.count,
    good,
    unsure: bad + open,
    failed: failures.total(),
    failures: failures.counts,
    unanswered: open,
    perSecond: (latencyUs.count * 1000) / phases.durationMs,
    latencyUs,
    lateUs: latencyRecorder().summary(),
    problems: target.problems(),
  };
}

/** Asks at a fixed rate whatever comes back. Latency counts from when a call was due, not from when it could be sent. */
export async function openLoop(
  target: Target,
  sleeper: Sleeper,
  perSecond: number,
  phases: Phases,
): Promise<LoopResult> {
  const latency = latencyRecorder();
  const late = latencyRecorder();
  const schedule = { startMs: performance.now() + 5, perSecond };
  const countFromMs = schedule.startMs + phases.warmupMs;
  const total = Math.round(((phases.warmupMs + phases.durationMs) * perSecond) / 1000);
  const failures = tally();
  let sent = 0;
  let open = 0;
  let good = 0;
  let bad = 0;
  let dropped = 0;
  let finished: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const ask = (dueAtMs: number) => {
    const counted = dueAtMs >= countFromMs;
    if (open >= unansweredMax) {
      if (counted) dropped += 1;
      return;
    }
    open += 1;
    if (counted) late.recordMs(performance.now() - dueAtMs);
    target.call((failure) => {
      open -= 1;
      if (failure === undefined) good += 1;
      else bad += 1;
      if (counted) {
        if (failure === undefined) latency.recordMs(performance.now() - dueAtMs);
        else failures.add(failure);
      }
      if (sent === total && open === 0) finished();
    });
  };
  const asking = (async () => {
    while (sent < total) {
      const due = Math.min(total, dueBy(schedule, performance.now()));
      while (sent < due) {
        const at = dueMs(schedule, sent);
        sent += 1;
        ask(at);
      }
      await sleeper.sleepUntil(dueMs(schedule, sent));
    }
  })();
  await Promise.race([asking, target.lost]);
  await Promise.race([open === 0 ? undefined : over, target.lost, after(drainMs)]);
  const latencyUs = latency.summary();
  return {
    answered: latencyUs.count,
    good,
    unsure: bad + open,
    failed: failures.total(),
    failures: failures.counts,
    unanswered: open + dropped,
    perSecond: (latencyUs.count * 1000) / phases.durationMs,
    latencyUs,
    lateUs: late.summary(),
    problems: target.problems(),
  };
}

function tally(): { counts: Record<string, number>; add(name: string): void; total(): number } {
  const counts: Record<string, number> = {};
  return {
    counts,
    add(name) {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    total: () => Object.values(counts).reduce((sum, count) => sum + count, 0),
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
