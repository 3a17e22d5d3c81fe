/** How often a replica moves its counter and looks at the others'. The same for every replica, so it is no knob. */
export const BEAT_MS = 100;

/**
 * A counter that stood still over this many looks in a row is suspected: five seconds, which a process does not lose to a
 * compile or a collection of garbage, nor to finding its way back after an outage that both went through.
 */
export const STILL_LOOKS_MAX = 50;

/** One replica as the last look saw it, and over how many good looks in a row it has not moved. */
interface Stillness {
  readonly beats: bigint;
  readonly looks: number;
}

/** By replica. Swapped at every look, never changed. */
export type Watch = ReadonlyMap<string, Stillness>;

/**
 * What is known before the first good look, and again after one that failed: whoever could not look has not seen a
 * counter stand still. So an outage makes nobody suspect anybody.
 */
export const nothingSeen: Watch = new Map();

/**
 * What is known after one more good look at all counters. Looks are counted, not time: a replica that was paused, or
 * whose looks are slow, has looked seldom and knows little. A counter that moved in either direction has moved: the store
 * may have forgotten the latest beats of all in a crash. Who is not among the counters is not watched any more.
 */
export function look(before: Watch, counters: ReadonlyMap<string, bigint>): Watch {
  const after = new Map<string, Stillness>();
  for (const [replica, beats] of counters) {
    const last = before.get(replica);
    after.set(replica, { beats, looks: last?.beats === beats ? last.looks + 1 : 0 });
  }
  return after;
}

/** The replicas that have been still for too long, the same on every call. */
export function suspects(watch: Watch): string[] {
  return [...watch].filter(([, { looks }]) => looks >= STILL_LOOKS_MAX).map(([replica]) => replica);
}
