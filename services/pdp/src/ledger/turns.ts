import type { Batch } from "./batch.ts";
import type { Waiting } from "./queue.ts";

/** What waits of one tenant, in order. */
interface Lane {
  readonly tenant: string;
  waiting: Waiting[];
  /** Where the first that waits stands. */
  head: number;
  /** Bytes that it may still take in its turn. */
  credit: number;
}

/** The tenants whose records wait, each with a turn after the other. */
export interface Turns {
  push(waiting: Waiting): void;
  /** Gives to a batch what fits, tenant by tenant. */
  fill(batch: Batch): void;
  /** Removes what `over` says, and answers it. */
  remove(over: (waiting: Waiting) => boolean): Waiting[];
}

/** What a tenant takes in one turn: some eight entries, so that a batch has room for the turns of many. */
export const TURN_BYTES = 8 * 1024;

// Lanes are kept for the next record of their tenant; beyond this many an empty one is let go.
const LANES_MAX = 1024;
const COMPACT_AT = 64;

/** One turn, or what is left of it. */
function serve(lane: Lane, batch: Batch, alone: boolean): "empty" | "full" | "twice" | "poor" {
  for (let next = lane.waiting[lane.head]; next; next = lane.waiting[lane.head]) {
    if (!alone && next.bytes > lane.credit) return "poor";
    const offered = batch.offer(next);
    if (offered !== "taken") return offered;
    lane.credit -= alone ? 0 : next.bytes;
    lane.head++;
  }
  return "empty";
}

/** Lets go of what a lane that never empties has given. */
function compact(lane: Lane): void {
  if (lane.head < COMPACT_AT || lane.head * 2 < lane.waiting.length) return;
  lane.waiting = lane.waiting.slice(lane.head);
  lane.head = 0;
}

/** When nobody could afford its record: as many turns at once as the nearest one lacks. False when nobody lacks any. */
function creditAll(ring: readonly Lane[], stuck: ReadonlySet<Lane>): boolean {
  const lacking = ring.filter((lane) => !stuck.has(lane));
  const turns = lacking.map(({ waiting, head, credit }) => ((waiting[head]?.bytes ?? 0) - credit) / TURN_BYTES);
  if (turns.length === 0) return false;
  const more = (Math.ceil(Math.min(...turns)) - 1) * TURN_BYTES;
  for (const lane of lacking) lane.credit += Math.max(0, more);
  return true;
}

/**
 * Deficit round robin by bytes (Shreedhar and Varghese, 1995): in each round every tenant that waits may take the bytes
 * of a turn, and what it could not use for a heavy record it keeps for its next turn. So of two tenants that always
 * wait neither gets ahead of the other by more than a turn and one record, and who comes anew waits for one round, however
 * much another has brought. The records of one tenant keep their order.
 */
export function createTurns(): Turns {
  const lanes = new Map<string, Lane>();
  /** Those that wait. The turn is that of the one at `at`; `begun` when it has had its bytes. */
  const ring: Lane[] = [];
  let at = 0;
  let begun = false;

  const laneOf = (tenant: string): Lane => {
    const known = lanes.get(tenant);
    if (known) return known;
    const lane: Lane = { tenant, waiting: [], head: 0, credit: 0 };
    lanes.set(tenant, lane);
    return lane;
  };

  const leaveRing = (place: number, lane: Lane) => {
    lane.waiting = [];
    lane.head = 0;
    lane.credit = 0;
    ring.splice(place, 1);
    if (lanes.size > LANES_MAX) lanes.delete(lane.tenant);
    if (place < at) at--;
    else if (place === at) begun = false;
    if (at >= ring.length) at = 0;
  };

  return {
    push: (waiting) => {
      const lane = laneOf(waiting.record.tenant);
      if (lane.waiting.length === 0) ring.push(lane);
      lane.waiting.push(waiting);
    },
    fill: (batch) => {
      // Lanes in a row that gave nothing, and those of them whose first record cannot be in this batch at all.
      let gaveNothing = 0;
      const stuck = new Set<Lane>();
      for (let lane = ring[at]; lane; lane = ring[at]) {
        const alone = ring.length === 1;
        if (alone) lane.credit = 0;
        else if (!begun && !stuck.has(lane)) lane.credit += TURN_BYTES;
        begun = true;
        const before = batch.taken.length;
        const end = serve(lane, batch, alone);
        compact(lane);
        // Its turn goes on with the next batch.
        if (end === "full") return;
        if (end === "twice") stuck.add(lane);
        if (end === "empty") leaveRing(at, lane);
        else at = (at + 1) % ring.length;
        begun = false;
        gaveNothing = batch.taken.length > before ? 0 : gaveNothing + 1;
        if (gaveNothing >= ring.length && !creditAll(ring, stuck)) return;
      }
    },
    remove: (over) => {
      const removed: Waiting[] = [];
      for (let place = ring.length - 1; place >= 0; place--) {
        const lane = ring[place];
        if (!lane) continue;
        const waiting = lane.head === 0 ? lane.waiting : lane.waiting.slice(lane.head);
        const gone = waiting.filter(over);
        if (gone.length === 0) continue;
        removed.push(...gone);
        lane.waiting = waiting.filter((one) => !over(one));
        lane.head = 0;
        if (lane.waiting.length === 0) leaveRing(place, lane);
      }
      return removed;
    },
  };
}
