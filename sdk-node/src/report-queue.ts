import { toBinary } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema, type ReportResponse } from "@remit/proto/decision";
import { createDelivery } from "./delivery.ts";
import { RemitError } from "./errors.ts";
import type { Log } from "./log.ts";
import { createRoom, type Slot } from "./room.ts";
import { isRetryable } from "./rpc-error.ts";
import type { Timers } from "./timers.ts";

/** A report that must reach Remit. */
interface QueuedReport<Holder> {
  readonly holder: Holder;
  readonly sessionId: string;
  readonly callId: string;
  readonly request: ReportRequest;
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
  /** Settles when nothing is queued or reserved. */
  idle(): Promise<void>;
  /** Stops delivering. What is left is lost, and said to be. */
  close(): void;
  readonly queued: number;
  /** Reports that Remit would not take. */
  readonly refused: number;
  /** Reports that were left when the client was closed. */
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
  resolve(answer: ReportResponse): void;
  reject(error: unknown): void;
}

function unavailable(reason: "reports_full" | "client_closed", message: string, fix: string): RemitError {
  return new RemitError(message, { status: "RESOURCE_EXHAUSTED", reason, fix, retryable: reason === "reports_full" });
}

/** Remembers what is under way, by key. */
function createPending() {
  const byKey = new Map<string, Set<Promise<unknown>>>();
  return {
    add(key: string, promise: Promise<unknown>): void {
      const known = byKey.get(key) ?? new Set();
      byKey.set(key, known);
      const quiet: Promise<void> = promise
        .then(
          () => {},
          () => {},
        )
        .then(() => {
          known.delete(quiet);
          if (known.size === 0 && byKey.get(key) === known) byKey.delete(key);
        });
      known.add(quiet);
    },
    all(key: string): Promise<unknown> | undefined {
      const known = byKey.get(key);
      return known && Promise.all(known);
    },
  };
}

export function createReportQueue<Holder>(options: ReportQueueOptions<Holder>): ReportQueue<Holder> {
  const { log, timers, random } = options;
  const room = createRoom(options.itemsMax, options.bytesMax);
  const pending = createPending();
  let closed = false;
  let refused = 0;
  let lost = 0;

  const delivery = createDelivery<Item<Holder>>({
    timers,
    random,
    mayRetry: isRetryable,
    deliver: async (item) => {
      const answer = await options.deliver(item.report);
      if (closed) return;
      room.give(item.bytes);
      item.resolve(answer);
    },
    refused: (item, error) => {
      refused++;
      const { callId, sessionId } = item.report;
      const message = `Remit refused the report of call ${callId}: ${(error as Error).message}`;
      log({ level: "error", event: "report_refused", message, callId, sessionId });
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
    lost = left.length;
    for (const item of left) {
      item.reject(unavailable("client_closed", "the client was closed before Remit took the report", "report again"));
    }
    if (lost === 0) return;
    const calls = left.slice(0, 20).map(({ report }) => report.callId);
    const message = `${lost} reports had not been taken by Remit when the client was closed`;
    log({ level: "error", event: "reports_lost", message, lost, calls });
  };
  const keyOf = (sessionId: string, callId: string): string => `${sessionId}\n${callId}`;

  return {
    reserve: (givenUp) => room.reserve(givenUp),
    add: (report, slot) => {
      if (closed) return Promise.reject(unavailable("client_closed", "the client was closed", "make another client"));
      if (!slot && !room.hasRoom()) {
        const fix = "check that Remit can be reached, or raise reportsMax and reportBytesMax";
        return Promise.reject(unavailable("reports_full", "too many reports wait for Remit to take them", fix));
      }
      const settled = new Promise<ReportResponse>((resolve, reject) => {
        const bytes = toBinary(ReportRequestSchema, report.request).byteLength;
        room.take(bytes);
        delivery.add({ report, bytes, resolve, reject });
      });
      slot?.release();
      pending.add(keyOf(report.sessionId, report.callId), settled);
      return settled;
    },
    ofCall: (sessionId, callId) => pending.all(keyOf(sessionId, callId)),
    idle: room.idle,
    close,
    get queued() {
      return room.items;
    },
    get refused() {
      return refused;
    },
    get lost() {
      return lost;
    },
  };
}
