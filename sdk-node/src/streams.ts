import { durationMs } from "@bufbuild/protobuf/wkt";
import { type Backoff, backoffMs } from "./backoff.ts";
import { type Connection, connect } from "./connection.ts";
import type { RemitError } from "./errors.ts";
import { type Holder, type Lane, type LaneEvents, openLane } from "./lane.ts";
import type { Settings } from "./options.ts";
import { transportError } from "./rpc-error.ts";
import type { Timers } from "./timers.ts";

const reopen: Backoff = { firstMs: 100, maxMs: 10_000 };
/** A server without streams is asked for one again after this long. */
const withoutStreamsMs = 60_000;
/** An old stream is given this long to drain when its server names no time. */
const drainMs = 30_000;
/** So many calls must have found the stream silent, one after another, before it is given up. */
const silentMax = 3;

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
  /** Tells whether a call found the stream silent. Silent for too long, it is cut and its calls go another way. */
  heard(lane: Lane, silently: boolean): void;
  detach(holder: Holder): void;
  close(): void;
}

/** When another stream may be opened: later after each one that failed before it had said anything. */
function createRest({ timers, random, log, address }: Settings) {
  let failures = 0;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  return {
    over: () => timers.monotonicMs() >= notBeforeMs,
    /** Answers how long to rest, milliseconds. */
    after(error: RemitError | undefined, proven: boolean): number {
      failures = proven ? 1 : failures + 1;
      const unimplemented = error?.status === "UNIMPLEMENTED";
      const waitMs = unimplemented ? withoutStreamsMs : backoffMs(reopen, failures, random());
      notBeforeMs = timers.monotonicMs() + waitMs;
      const message = `the stream to ${address} ended: ${error?.message ?? "the server closed it"}`;
      const level = unimplemented || !error ? "info" : "warn";
      log({ level, event: "stream_ended", message, retryInMs: Math.round(waitMs) });
      return waitMs;
    },
  };
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

/** Notices are handed on, but for `reconnect`, which is answered here. */
export function createStreams(settings: Settings, onNotice: LaneEvents["notice"]): Streams {
  const { timers, log } = settings;
  const rest = createRest(settings);
  const watched = createWatched();
  let connection = connect(settings);
  let lane: Lane | undefined;
  // Streams that a server asked us to leave.
  const leaving = new Set<Lane>();
  let silent = 0;
  let closed = false;

  const open = (): Lane => {
    silent = 0;
    const made: Lane = openLane(connection, {
      notice: (body, holder) => {
        if (body.case !== "reconnect") onNotice(body, holder);
        else if (made === lane) move(body.value.within ? durationMs(body.value.within) : drainMs);
      },
      ended: (error) => {
        leaving.delete(made);
        if (made !== lane) return;
        lane = undefined;
        if (closed) return;
        const waitMs = rest.after(error, made.exchange.proven);
        if (watched.size > 0) timers.after(waitMs, () => void current(), "idle");
      },
    });
    return made;
  };

  const current = (): Lane | undefined => {
    if (lane || closed || !rest.over()) return lane;
    lane = open();
    watched.attachTo(lane);
    return lane;
  };

  /** Moves to a new stream on a new connection, so that a load balancer may place it elsewhere. */
  const move = (withinMs: number): void => {
    const old = lane;
    if (!old || closed) return;
    leaving.add(old);
    connection.retire();
    connection = connect(settings);
    lane = open();
    log({
      level: "info",
      event: "stream_moved",
      message: `the stream to ${settings.address} moves, as it was asked to`,
    });
    leave(old, watched.attachTo(lane), withinMs, timers);
  };

  const refresh = (holder: Holder): void => {
    if (lane && (watched.has(holder) || lane.handleOf(holder) !== undefined)) lane.attach(holder).catch(() => {});
  };

  return {
    current,
    refresh,
    isWatched: watched.has,
    get connection() {
      return connection;
    },
    watch: (holder) => {
      const unwatch = watched.add(holder);
      refresh(holder);
      return unwatch;
    },
    heard: (on, silently) => {
      if (on !== lane) return;
      silent = silently ? silent + 1 : 0;
      if (silent >= silentMax) on.exchange.cut(transportError("the stream had fallen silent"));
    },
    detach: (holder) => lane?.detach(holder),
    close: () => {
      closed = true;
      for (const one of [lane, ...leaving]) one?.exchange.cut(transportError("the client was closed"));
      connection.retire();
    },
  };
}
