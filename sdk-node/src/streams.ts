import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Addresses } from "./addresses.ts";
import type { Connection } from "./connection.ts";
import { createDial } from "./dial.ts";
import { type Holder, type Lane, type LaneEvents, openLane } from "./lane.ts";
import type { Settings } from "./options.ts";
import { transportError } from "./rpc-error.ts";
import type { Timers } from "./timers.ts";

/** An old stream is given this long to drain when its server names no time. */
const drainMs = 30_000;
/** So many calls must have fared badly on the stream, one after another, before it is given up. */
const badMax = 3;

/** The longest that a timer can be set for. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** How a call fared on a stream: answered, answered too late or that this replica cannot serve, or not answered. */
export type Fared = "well" | "badly" | "nothing";

/** Keeps one stream open once it is wanted, and the connection that it runs on. */
export interface Streams {
  /** The stream, opened if it is time to; undefined while there is none to be had. */
  current(): Lane | undefined;
  readonly connection: Connection;
  /** Keeps the session attached, through reconnections, until the answer is called: its notices must arrive. */
  watch(holder: Holder): () => void;
  isWatched(holder: Holder): boolean;
  /** Attaches the session's newest token, if there is a stream and the session is on it or watched. */
  refresh(holder: Holder): void;
  /** Tells how a call fared on the stream. Silent for too long, it is cut and its calls go another way. */
  heard(lane: Lane, fared: Fared): void;
  /** A call was answered on another connection. A stream on which calls fare badly meanwhile is given up. */
  otherWayWorks(): void;
  /** A unary call could not be served on this connection: the stream is opened at another address, if one is well. */
  failed(connection: Connection): void;
  /** What says who calls was not taken on this stream: moves to another, if there may be. Answers whether it is left. */
  callerRefused(on: Lane): boolean;
  detach(holder: Holder): void;
  close(): void;
}

/** Sessions that must stay attached, each counted. */
function createWatched() {
  const counts = new Map<Holder, number>();
  return {
    has: (holder: Holder) => counts.has(holder),
    get size() {
      return counts.size;
    },
    add(holder: Holder): () => void {
      counts.set(holder, (counts.get(holder) ?? 0) + 1);
      return () => {
        const left = (counts.get(holder) ?? 1) - 1;
        if (left === 0) counts.delete(holder);
        else counts.set(holder, left);
      };
    },
    // A session that cannot be attached says so to its next call; nothing depends on this.
    attachTo: (lane: Lane) => Promise.allSettled([...counts.keys()].map((holder) => lane.attach(holder))),
  };
}

/** Ends a stream when its calls are answered and what is watched has moved, or when its time is over. */
async function leave(old: Lane, moved: Promise<unknown>, withinMs: number, timers: Timers): Promise<void> {
  timers.after(withinMs, () => old.exchange.cut(transportError("the old stream was not drained in time")), "idle");
  // Notices must not fall between two streams.
  await moved;
  await old.exchange.drained();
  old.exchange.finish();
}

/** How the calls of one stream fare. */
function createFares() {
  let silent = 0;
  let bad = 0;
  return {
    count(fared: Fared): void {
      silent = fared === "nothing" ? silent + 1 : 0;
      bad = fared === "well" ? 0 : bad + 1;
    },
    fallenSilent: () => silent >= badMax,
    goneBad: () => bad >= badMax,
  };
}

/** A stream goes by the token that it was opened with: it is to be left for another before that ends. */
function beforeItsToken({ credential, timers }: Settings, leaveIt: () => void): void {
  const schedule = (): void => {
    const leftMs = credential.leftMs();
    if (leftMs !== undefined) timers.after(Math.min(Math.max(0, leftMs), TIMER_MAX_MS), leaveIt, "idle");
  };
  // Only where tokens end is there anything to wait for.
  const header = credential.header();
  if (typeof header === "object") header.then(schedule, () => undefined);
  else schedule();
}

/** Does what comes with watching; answers how to stop watching. */
function watching(unwatch: () => void, then: () => void): () => void {
  then();
  return unwatch;
}

/** Notices are handed on, but for `reconnect`, which is answered here. */
export function createStreams(settings: Settings, addresses: Addresses, onNotice: LaneEvents["notice"]): Streams {
  const { timers } = settings;
  const watched = createWatched();
  const dialled = createDial(settings, addresses);
  let lane: Lane | undefined;
  const leaving = new Set<Lane>(); // for a server that asked for it, or for a newer token
  let fares = createFares();
  let closed = false;

  const open = (): Lane => {
    fares = createFares();
    const made: Lane = openLane(dialled.connection, {
      notice: (body, holder) => {
        if (body.case !== "reconnect") onNotice(body, holder);
        else if (made === lane) move(body.value.within ? durationMs(body.value.within) : drainMs);
      },
      ended: (error) => {
        leaving.delete(made);
        if (made !== lane) return;
        lane = undefined;
        if (closed) return;
        const waitMs = dialled.afterEnd(error, made.exchange.proven);
        if (watched.size > 0) timers.after(waitMs, () => void current(), "idle");
      },
    });
    beforeItsToken(settings, () => made === lane && move(drainMs));
    return made;
  };

  const current = (): Lane | undefined => {
    if (lane || closed || !dialled.rested()) return lane;
    lane = open();
    watched.attachTo(lane);
    return lane;
  };

  /** Moves to a new stream on a new connection. */
  const move = (withinMs: number): boolean => {
    const old = lane;
    if (!old || closed) return false;
    leaving.add(old);
    dialled.anew();
    lane = open();
    leave(old, watched.attachTo(lane), withinMs, timers);
    return true;
  };

  const refresh = (holder: Holder): void => {
    if (lane && (watched.has(holder) || lane.handleOf(holder) !== undefined)) lane.attach(holder).catch(() => {});
  };

  return {
    current,
    refresh,
    callerRefused: (on) => on !== lane || (settings.credential.refused(on.exchange.header()) && move(drainMs)),
    isWatched: watched.has,
    get connection() {
      return dialled.connection;
    },
    watch: (holder) => watching(watched.add(holder), () => refresh(holder)),
    heard: (on, fared) => {
      if (on !== lane) return;
      fares.count(fared);
      if (fared === "well") addresses.worked(dialled.connection.address);
      if (fares.fallenSilent()) on.exchange.cut(transportError("the stream had fallen silent"));
    },
    otherWayWorks: () =>
      void (fares.goneBad() && lane?.exchange.cut(transportError("other ways are answered, and this stream is not"))),
    failed: (connection) => void (!lane && !closed && connection === dialled.connection && dialled.turnAway()),
    detach: (holder) => lane?.detach(holder),
    close: () => {
      closed = true;
      for (const one of [lane, ...leaving]) one?.exchange.cut(transportError("the client was closed"));
      dialled.connection.retire();
    },
  };
}
