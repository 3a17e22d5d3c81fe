import type { Addresses } from "./addresses.ts";
import { type Backoff, backoffMs } from "./backoff.ts";
import { type Connection, connect } from "./connection.ts";
import type { RemitError } from "./errors.ts";
import type { Settings } from "./options.ts";
import { isUnavailable } from "./rpc-error.ts";

const reopen: Backoff = { firstMs: 100, maxMs: 10_000 };
/** A server without streams is asked for one again after this long. */
const withoutStreamsMs = 60_000;

/** The connection that streams run on: where it leads, and when the next stream may be opened on it. */
export interface Dial {
  readonly connection: Connection;
  /** Whether it is time for another stream. */
  rested(): boolean;
  /** To another address that is well, if there is one; answers whether there was. */
  turnAway(): boolean;
  /** Always a new connection, so that a load balancer may place it elsewhere; to another address if one is well. */
  anew(): void;
  /** A stream has ended: turns to another address, or rests, the longer the more often it failed. Answers how long, ms. */
  afterEnd(error: RemitError | undefined, proven: boolean): number;
}

export function createDial(settings: Settings, addresses: Addresses): Dial {
  const { timers, random, log } = settings;
  let connection = connect(settings, addresses.pick());
  let failures = 0;
  let notBeforeMs = Number.NEGATIVE_INFINITY;

  const dial = (address: string): void => {
    connection.retire();
    connection = connect(settings, address);
  };
  const turnAway = (): boolean => {
    const next = addresses.pick(connection.address);
    if (next === connection.address || !addresses.rested(next)) return false;
    dial(next);
    return true;
  };
  const rest = (error: RemitError | undefined, proven: boolean): number => {
    failures = proven ? 1 : failures + 1;
    const unimplemented = error?.status === "UNIMPLEMENTED";
    const waitMs = unimplemented ? withoutStreamsMs : backoffMs(reopen, failures, random());
    notBeforeMs = timers.monotonicMs() + waitMs;
    return waitMs;
  };
  const next = (error: RemitError | undefined, proven: boolean): number => {
    if (!isUnavailable(error)) return rest(error, proven);
    addresses.failed(connection.address);
    if (turnAway()) return 0;
    // What was silent or cut is not asked again: the same address, by another connection.
    dial(connection.address);
    return rest(error, proven);
  };

  return {
    get connection() {
      return connection;
    },
    rested: () => timers.monotonicMs() >= notBeforeMs,
    turnAway,
    anew: () => {
      const from = connection.address;
      dial(addresses.pick(from));
      const message = `the stream moves from ${from} to ${connection.address}, as it was asked to`;
      log({ level: "info", event: "stream_moved", message });
    },
    afterEnd: (error, proven) => {
      const { address } = connection;
      const waitMs = next(error, proven);
      const message = `the stream to ${address} ended: ${error?.message ?? "the server closed it"}`;
      const level = error && error.status !== "UNIMPLEMENTED" ? "warn" : "info";
      log({ level, event: "stream_ended", message, address, retryInMs: Math.round(waitMs) });
      return waitMs;
    },
  };
}
