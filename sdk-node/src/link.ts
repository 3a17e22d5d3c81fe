import {
  type DecideRequest,
  type DecideResponse,
  DecisionService,
  type ReportRequest,
  type ReportResponse,
} from "@remit/proto/decision";
import { type Connection, connect, type UnaryOptions } from "./connection.ts";
import { RemitError } from "./errors.ts";
import type { Holder, Lane, LaneEvents } from "./lane.ts";
import type { Settings } from "./options.ts";
import { isAnswered, isRetryable, transportError } from "./rpc-error.ts";
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
  /** Unary, on a connection that shares nothing with the stream's. */
  decideElsewhere(holder: Holder, request: DecideRequest, options: TryOptions): Promise<DecideResponse>;
  /** Over the stream if the session is attached to it, else unary: a report needs no live session. */
  report(holder: Holder, request: ReportRequest, options: TryOptions): Promise<ReportResponse>;
  readonly unary: Connection["unary"];
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

async function overStream<T>(streams: Streams, on: Lane, options: TryOptions, ask: () => Promise<T>): Promise<T> {
  const before = on.exchange.received;
  try {
    return await ask();
  } finally {
    streams.heard(on, options.signal?.aborted === true && on.exchange.received === before);
  }
}

export function openLink(settings: Settings, onNotice: LaneEvents["notice"]): Link {
  const streams = createStreams(settings, onNotice);
  const { decide, report } = DecisionService.method;
  let second: Connection | undefined;

  const unaryOptions = (holder: Holder, options: TryOptions): UnaryOptions => ({ ...options, token: holder.token() });

  return {
    decide: (holder, request, options) => {
      const on = streams.current();
      if (!on) return streams.connection.unary(decide, request, unaryOptions(holder, options));
      return overStream(streams, on, options, async () => {
        const handle = await untilAborted(on.attach(holder), options.signal);
        try {
          return await on.exchange.decide(handle, request, options.signal);
        } catch (error) {
          if (!(error instanceof RemitError) || error.reason !== "handle_unknown") throw error;
          on.detach(holder);
          throw transportError("the session has to be attached again", error);
        }
      });
    },
    decideElsewhere: (holder, request, options) => {
      second ??= connect(settings);
      return second.unary(decide, request, unaryOptions(holder, options));
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
      return streams.connection.unary(report, request, unaryOptions(holder, options));
    },
    unary: (method, request, options) => streams.connection.unary(method, request, options),
    watch: streams.watch,
    isWatched: streams.isWatched,
    refresh: streams.refresh,
    detach: streams.detach,
    close: () => {
      streams.close();
      second?.retire();
    },
  };
}
