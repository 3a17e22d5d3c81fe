import {
  type DecideRequest,
  type DecideResponse,
  DecisionService,
  type ReportRequest,
  type ReportResponse,
} from "@remit/proto/decision";
import { type Addresses, createAddresses } from "./addresses.ts";
import { type Connection, connect, type UnaryOptions } from "./connection.ts";
import { RemitError } from "./errors.ts";
import { Overtaken } from "./insist.ts";
import type { Holder, Lane, LaneEvents } from "./lane.ts";
import type { Settings } from "./options.ts";
import { isAnswered, isCallerRefused, isRetryable, isTimeout, isUnavailable, transportError } from "./rpc-error.ts";
import { createStreams, type Streams } from "./streams.ts";

/** How one try is made. */
export interface TryOptions {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The way to Remit: one stream where it can be had, unary calls where it cannot, and a second connection. */
export interface Link extends Pick<Streams, "watch" | "isWatched" | "refresh" | "detach"> {
  /** Over the stream, or unary on the same connection while there is none. */
  decide(holder: Holder, request: DecideRequest, options: TryOptions): Promise<DecideResponse>;
  /** Unary, on a connection that shares nothing with the stream's; to another address if there is one. */
  decideElsewhere(holder: Holder, request: DecideRequest, options: TryOptions): Promise<DecideResponse>;
  /** Over the stream if the session is attached to it, else unary: a report needs no live session. */
  report(holder: Holder, request: ReportRequest, options: TryOptions): Promise<ReportResponse>;
  /** The n-th try of a unary call, from 0: on the stream's connection, or on another. */
  unary(n: number): Connection["unary"];
  /** Cuts the stream and closes the connections. */
  close(): void;
}

/** The promise, or the signal's reason as soon as it is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    if (signal.aborted) {
      aborted();
      return;
    }
    signal.addEventListener("abort", aborted, { once: true });
    const unlisten = (): void => signal.removeEventListener("abort", aborted);
    promise.then(resolve, reject).finally(unlisten);
  });
}

/** A call over a stream, and word of how it fared there. */
async function overStream<T>(streams: Streams, on: Lane, options: TryOptions, ask: () => Promise<T>): Promise<T> {
  const before = on.exchange.received;
  try {
    const answer = await ask();
    streams.heard(on, "well");
    return answer;
  } catch (error) {
    const aborted = options.signal?.aborted === true;
    if (aborted && on.exchange.received === before) streams.heard(on, "nothing");
    else streams.heard(on, aborted || isUnavailable(error) ? "badly" : "well");
    throw error;
  }
}

function clientClosed(): RemitError {
  const fields = { status: "CANCELLED", reason: "client_closed", fix: "make another client", retryable: false };
  return new RemitError("the client was closed", fields);
}

/** Connections for unary calls, one an address, and word of how each address fared. */
function createUnary(settings: Settings, addresses: Addresses, streams: Streams) {
  const { timers, hedgeMs } = settings;
  const others = new Map<string, Connection>();

  /** A connection that shares nothing with the stream's. */
  const elsewhere = (): Connection => {
    const address = addresses.pick(streams.connection.address);
    const connection = others.get(address) ?? connect(settings, address);
    others.set(address, connection);
    return connection;
  };
  // Whoever does not answer in time may hang on a connection that is dead: the next try gets a new one.
  const drop = (connection: Connection): void => {
    if (others.get(connection.address) !== connection) return;
    others.delete(connection.address);
    connection.retire();
  };
  const failed = (connection: Connection, error: unknown, tookMs: number): void => {
    const silent = error instanceof Overtaken ? tookMs >= hedgeMs : isTimeout(error);
    if (!silent && !isUnavailable(error)) return;
    // Another connection may show another certificate: files are read for each.
    if (silent || settings.tls) drop(connection);
    addresses.failed(connection.address);
    streams.failed(connection);
  };
  let closed = false;
  const on =
    (connection: Connection): Connection["unary"] =>
    async (method, request, options) => {
      if (closed) throw clientClosed();
      const startedMs = timers.monotonicMs();
      try {
        const answer = await connection.unary(method, request, options);
        addresses.worked(connection.address);
        return answer;
      } catch (error) {
        failed(connection, error, timers.monotonicMs() - startedMs);
        throw error;
      }
    };
  return {
    on,
    elsewhere: () => on(elsewhere()),
    close: () => {
      closed = true;
      for (const connection of others.values()) connection.retire();
    },
  };
}

export function openLink(settings: Settings, onNotice: LaneEvents["notice"]): Link {
  const addresses = createAddresses(settings.addresses, settings.timers, settings.random);
  const streams = createStreams(settings, addresses, onNotice);
  const unary = createUnary(settings, addresses, streams);
  const { decide, report } = DecisionService.method;

  const unaryOptions = (holder: Holder, options: TryOptions): UnaryOptions => ({ ...options, token: holder.token() });
  const any = (n: number): Connection["unary"] => {
    const { connection } = streams;
    return n % 2 === 0 && addresses.rested(connection.address) ? unary.on(connection) : unary.elsewhere();
  };

  return {
    decide: (holder, request, options) => {
      const on = streams.current();
      if (!on) return unary.on(streams.connection)(decide, request, unaryOptions(holder, options));
      return overStream(streams, on, options, async () => {
        try {
          const handle = await untilAborted(on.attach(holder), options.signal);
          return await on.exchange.decide(handle, request, options.signal);
        } catch (error) {
          // Its stream was opened with a token that does no more: unary calls bring the newest.
          if (isCallerRefused(error) && streams.callerRefused(on)) {
            return unary.on(streams.connection)(decide, request, unaryOptions(holder, options));
          }
          if (!(error instanceof RemitError) || error.reason !== "handle_unknown") throw error;
          on.detach(holder);
          throw transportError("the session has to be attached again", error);
        }
      });
    },
    decideElsewhere: async (holder, request, options) => {
      const answer = await unary.elsewhere()(decide, request, unaryOptions(holder, options));
      streams.otherWayWorks();
      return answer;
    },
    report: async (holder, request, options) => {
      const on = streams.current();
      const handle = on?.handleOf(holder);
      if (on && handle !== undefined) {
        try {
          return await overStream(streams, on, options, () => on.exchange.report(handle, request, options.signal));
        } catch (error) {
          // The handle may have ended just now; the token itself may still report for a day.
          if (!isAnswered(error) || isRetryable(error)) throw error;
        }
      }
      return any(0)(report, request, unaryOptions(holder, options));
    },
    unary: any,
    watch: streams.watch,
    isWatched: streams.isWatched,
    refresh: streams.refresh,
    detach: streams.detach,
    close: () => {
      streams.close();
      unary.close();
    },
  };
}
