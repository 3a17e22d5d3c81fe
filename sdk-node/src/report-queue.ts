import { toBinary } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema, type ReportResponse } from "@remit/proto/decision";
import { createDelivery } from "./delivery.ts";
import { RemitError } from "./errors.ts";
import type { Log } from "./log.ts";
import { createReportsOfCalls } from "./reports-of-calls.ts";
import { createRoom, type Slot } from "./room.ts";
import { decidedNothing, isRetryable, isTransport } from "./rpc-error.ts";
import type { Timers } from "./timers.ts";

/** A report that must reach Remit. */
interface QueuedReport<Holder> {
  readonly holder: Holder;
  readonly sessionId: string;
  readonly callId: string;
  readonly request: ReportRequest;
  /** Nobody waits for it, and it says nothing any more once its call is asked again. */
  readonly withdrawable?: boolean;
}

/**
 * Reports on their way: kept until Remit has taken or refused them, through any number of reconnections. Bounded in
 * items and bytes: while it is full, no new call is let in, so that no report is ever dropped for want of room.
 */
export interface ReportQueue<Holder> {
  /** Room for the report of a call that is about to be asked; undefined when `givenUp` settles before there is any. */
  reserve(givenUp: Promise<void>): Promise<Slot | undefined>;
  /** Takes a report. With a slot always, without one only while there is room. Settles when Remit has answered. */
  add(report: QueuedReport<Holder>, slot?: Slot): Promise<ReportResponse>;
  /** Settles when no report of this call is on its way; undefined when none is. Never rejects. */
  ofCall(sessionId: string, callId: string): Promise<unknown> | undefined;
  /** Takes back all that is to be said of a call, if it may be and no copy of it can have left; answers whether. */
  withdraw(sessionId: string, callId: string): boolean;
  /** Whether a copy of a report that names this call by its call id may still be on its way, though it was taken. */
  echoes(sessionId: string, callId: string): boolean;
  /** Settles when nothing is queued or reserved. */
  idle(): Promise<void>;
  /** Stops delivering. What is left is lost, and said to be. */
  close(): void;
  readonly queued: number;
  /** Reports that Remit would not take. */
  readonly refused: number;
  /** Reports that were left when the client was closed, or came later. */
  readonly lost: number;
}

export interface ReportQueueOptions<Holder> {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: Log;
  deliver(report: QueuedReport<Holder>): Promise<ReportResponse>;
}

interface Item<Holder> {
  readonly report: QueuedReport<Holder>;
  readonly bytes: number;
  /** A copy of it left and was not answered: it may arrive at any time. */
  echo: boolean;
  readonly settled: Promise<ReportResponse>;
  resolve(answer: ReportResponse): void;
  reject(error: unknown): void;
}

function unavailable(reason: "reports_full" | "client_closed", message: string, fix: string): RemitError {
  return new RemitError(message, { status: "RESOURCE_EXHAUSTED", reason, fix, retryable: reason === "reports_full" });
}

function full(): RemitError {
  const fix = "check that Remit can be reached, or raise reportsMax and reportBytesMax";
  return unavailable("reports_full", "too many reports wait for Remit to take them", fix);
}

function newItem<Holder>(report: QueuedReport<Holder>): Item<Holder> {
  const { promise: settled, resolve, reject } = Promise.withResolvers<ReportResponse>();
  const bytes = toBinary(ReportRequestSchema, report.request).byteLength;
  return { report, bytes, echo: false, settled, resolve, reject };
}

/** What becomes of reports that are not taken, for those who watch. */
function createLosses<Holder>(log: Log) {
  let refused = 0;
  let lost = 0;
  return {
    get refused() {
      return refused;
    },
    get lost() {
      return lost;
    },
    refuse({ callId, sessionId }: QueuedReport<Holder>, error: unknown): void {
      refused++;
      const message = `Remit refused the report of call ${callId}: ${(error as Error).message}`;
      log({ level: "error", event: "report_refused", message, callId, sessionId });
    },
    lose(reports: readonly QueuedReport<Holder>[]): void {
      if (reports.length === 0) return;
      lost += reports.length;
      const calls = reports.slice(0, 20).map(({ callId }) => callId);
      const message = `${reports.length} reports had not been taken by Remit when the client was closed`;
      log({ level: "error", event: "reports_lost", message, lost: reports.length, calls });
    },
  };
}

export function createReportQueue<Holder>(options: ReportQueueOptions<Holder>): ReportQueue<Holder> {
  const { log, timers, random } = options;
  const room = createRoom(options.itemsMax, options.bytesMax);
  const calls = createReportsOfCalls<Item<Holder>>();
  const losses = createLosses<Holder>(log);
  let closed = false;

  const delivery = createDelivery<Item<Holder>>({
    timers,
    random,
    // What only something on the way has said, a proxy perhaps, is no answer: the report is kept.
    mayRetry: (error) => isRetryable(error) || isTransport(error),
    deliver: async (item) => {
      try {
        const answer = await options.deliver(item.report);
        if (closed) return;
        room.give(item.bytes);
        item.resolve(answer);
      } catch (error) {
        if (!decidedNothing(error)) item.echo = true;
        throw error;
      }
    },
    refused: (item, error) => {
      losses.refuse(item.report, error);
      room.give(item.bytes);
      item.reject(error);
    },
    stuck: (error) => {
      const message = `reports wait for Remit: ${(error as Error).message}`;
      log({ level: "warn", event: "reports_wait", message, queued: room.items });
    },
  });
  const close = (): void => {
    if (closed) return;
    closed = true;
    const left = delivery.stop();
    losses.lose(left.map(({ report }) => report));
    for (const item of left) {
      item.reject(unavailable("client_closed", "the client was closed before Remit took the report", "report again"));
    }
  };

  return {
    reserve: (givenUp) => room.reserve(givenUp),
    add: (report, slot) => {
      if (closed) losses.lose([report]);
      if (closed) return Promise.reject(unavailable("client_closed", "the client was closed", "make another client"));
      if (!slot && !room.hasRoom()) return Promise.reject(full());
      const item = newItem(report);
      room.take(item.bytes);
      delivery.add(item);
      slot?.release();
      calls.add(report.sessionId, report.callId, item);
      return item.settled;
    },
    ofCall: calls.settled,
    echoes: calls.echoes,
    withdraw: (sessionId, callId) => {
      const [item, ...more] = calls.all(sessionId, callId);
      if (more.length > 0 || !item?.report.withdrawable || item.echo || !delivery.remove(item)) return false;
      room.give(item.bytes);
      calls.forget(sessionId, callId, item);
      return true;
    },
    idle: room.idle,
    close,
    get queued() {
      return room.items;
    },
    get refused() {
      return losses.refused;
    },
    get lost() {
      return losses.lost;
    },
  };
}
