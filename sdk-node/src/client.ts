import { randomUUID } from "node:crypto";
import { SessionService } from "@remit/proto/session";
import type { CallRequest } from "./asked.ts";
import { type Book, type CallOptions, createBook } from "./book.ts";
import { type Calls, createCalls } from "./calls.ts";
import type { Decision } from "./decision.ts";
import { misuse, RemitError } from "./errors.ts";
import { createExecution, type Execution } from "./execution.ts";
import { GivenUp, insist } from "./insist.ts";
import { type Link, openLink } from "./link.ts";
import { noticeHandler } from "./notices.ts";
import { type ClientOptions, type Settings, settle } from "./options.ts";
import { type PausedCall, readPausedCall } from "./paused.ts";
import { becomeReady } from "./ready.ts";
import { type Report, type ReportResult, readReported, writeReport } from "./report.ts";
import { createReportQueue, type ReportQueue } from "./report-queue.ts";
import { isRetryable } from "./rpc-error.ts";
import type { Work } from "./run.ts";
import type { Session, SessionRequest } from "./session.ts";
import { createSessions, type HeldSession, type Sessions } from "./sessions.ts";
import { tellAnyhow } from "./tell.ts";
import { type Answers, bindTool, type GuardedTool, resumption, type ToolOptions } from "./tool.ts";

/** What a client has on its hands. */
export interface ClientStats {
  /** Calls that are asked about or run now. */
  readonly callsUnderWay: number;
  /** Reports that Remit has not taken yet. */
  readonly reportsQueued: number;
  /** Reports that Remit refused, since the client was made. */
  readonly reportsRefused: number;
  /** Reports that were left when the client was closed, or came later. */
  readonly reportsLost: number;
}

/** A bound on waiting, in milliseconds. */
export interface Waiting {
  readonly timeoutMs?: number | undefined;
}

/** The way of one process to Remit. Make one and keep it: its sessions share one stream. */
export interface Client {
  /**
   * Settles when Remit serves at the address and accepts the key; waits up to `timeoutMs`, 5000 by default. Rejects with
   * a `RemitError` that names the address and what to do, so that the first failure happens at boot.
   */
  ready(waiting?: Waiting): Promise<void>;
  /** Opens a session for an agent that this caller is bound to. Rejects with `RemitError`. */
  openSession(request: SessionRequest): Promise<Session>;
  /** Takes over a session that was opened in another process, by its id. Rejects with `RemitError`. */
  adoptSession(sessionId: string): Promise<Session>;
  /** Binds a tool once: what it answers runs `work` only when Remit allows the call, with what was decided. */
  tool<Input extends object, Output>(
    name: string,
    work: Work<Input, Output>,
    options?: ToolOptions<Input>,
  ): GuardedTool<Input, Output>;
  /** Asks about one call and runs `work` if it is allowed; rejects like a bound tool. */
  guard<Input extends object, Output>(
    session: Session,
    call: CallRequest & { readonly input: Input } & CallOptions,
    work: Work<Input, Output>,
  ): Promise<Output>;
  /**
   * Asks about one call. Only a decision of effect `allow` or `transform` may run, with its `input` and no other, and
   * must then be reported. A denial, local ones included, is a value here; rejects with `RemitError`.
   */
  decide(session: Session, call: CallRequest & CallOptions): Promise<Decision>;
  /** Asks a paused call again, with the same call id; like `decide`. */
  resume(session: Session, paused: PausedCall, options?: Answers & CallOptions): Promise<Decision>;
  /** Tells what became of a call. Settles when Remit has taken it, however long that takes; rejects with `RemitError`. */
  report(session: Session, report: Report): Promise<ReportResult>;
  /** Waits for running calls to end and their reports to be taken, up to `timeoutMs` (5000); answers whether they were. */
  flush(waiting?: Waiting): Promise<boolean>;
  /**
   * Lets no new call in, flushes up to `timeoutMs` (5000), and closes the connections. Until then they keep the process
   * alive. What had to be left behind is logged, and counted in `stats()`: reports as lost, calls as still under way.
   */
  close(waiting?: Waiting): Promise<void>;
  stats(): ClientStats;
}

const patienceMs = 5_000;

/** An RPC of set-up: tried again for five seconds. */
async function insistOn<T>(
  settings: Settings,
  attempt: (n: number, timeoutMs: number, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { timers, random, where } = settings;
  const waitMs = (n: number): number => Math.min(1_000, 50 * n) * (0.5 + random() / 2);
  const how = { deadlineMs: patienceMs, triesMax: 50, waitMs, mayRetry: isRetryable, timers };
  try {
    return await insist(attempt, how);
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    if (error.last instanceof RemitError && error.last.reason !== "transport") throw error.last;
    const why = error.last instanceof Error ? error.last.message : `no answer within ${patienceMs} ms`;
    const fix = "start it with `remit serve`, or set REMIT_ADDRESS to where it listens for gRPC";
    const fields = { status: "UNAVAILABLE", reason: "unreachable", fix, retryable: true, cause: error.last };
    throw new RemitError(`Remit cannot be reached at ${where}: ${why}. To mend it, ${fix}.`, fields);
  }
}

function openSessions(settings: Settings, link: Link): Sessions {
  const { openSession, delegate, renewSession, closeSession } = SessionService.method;
  return createSessions({
    timers: settings.timers,
    newId: randomUUID,
    open: (request) =>
      insistOn(settings, (n, timeoutMs, signal) => link.unary(n)(openSession, request, { timeoutMs, signal })),
    delegate: (parent, request) =>
      insistOn(settings, (n, timeoutMs, signal) =>
        link.unary(n)(delegate, request, { timeoutMs, signal, token: parent.token() }),
      ),
    renew: (sessionId) =>
      insistOn(settings, (n, timeoutMs, signal) => link.unary(n)(renewSession, { sessionId }, { timeoutMs, signal })),
    close: async (holder) => {
      link.detach(holder);
      const sessionId = holder.id;
      await insistOn(settings, (n, timeoutMs, signal) =>
        link.unary(n)(closeSession, { sessionId }, { timeoutMs, signal }),
      );
    },
    renewed: (holder) => link.refresh(holder),
  });
}

/** Everything behind a client. */
interface Parts {
  readonly settings: Settings;
  readonly link: Link;
  readonly sessions: Sessions;
  readonly reports: ReportQueue<HeldSession>;
  readonly book: Book;
  readonly calls: Calls;
}

function assemble(settings: Settings): Parts {
  const { timers, random, log } = settings;
  let execution: Execution | undefined;
  const onNotice = noticeHandler(settings, {
    // Only this client's own sessions are ever attached.
    held: (holder) => holder as HeldSession,
    isWatched: (holder) => link.isWatched(holder),
    cancel: (sessionId, callId, code) => execution?.cancel(sessionId, callId, code),
    cancelAll: (sessionId, code) => execution?.cancelAll(sessionId, code),
  });
  const link: Link = openLink(settings, onNotice);
  const reports = createReportQueue<HeldSession>({
    itemsMax: settings.reportsMax,
    bytesMax: settings.reportBytesMax,
    timers,
    random,
    log,
    deliver: ({ holder, request }) => tellAnyhow(link, timers, holder, request),
  });
  const book = createBook({ settings, reports, newId: randomUUID });
  execution = createExecution({ timers, link, reports });
  const calls = createCalls({ settings, link, reports, book, execution });
  return { settings, link, sessions: openSessions(settings, link), reports, book, calls };
}

function checkPaused(session: Session, paused: PausedCall, tool?: string): void {
  readPausedCall(paused);
  if (paused.sessionId !== session.id) {
    const fix = "resume it in its own session: openSession with the same run id, or adoptSession";
    throw misuse("paused", `the call was paused in session ${paused.sessionId}, not in ${session.id}`, fix);
  }
  if (tool !== undefined && paused.tool !== tool) {
    throw misuse("paused", `the paused call is one of ${paused.tool}, not of ${tool}`, "resume it with its own tool");
  }
}

/** Settles like the promise, but after the time at the latest; answers whether the promise was first. */
function within({ timers }: Settings, promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = timers.after(timeoutMs, () => resolve(false));
    promise.then(() => {
      cancel();
      resolve(true);
    });
  });
}

/**
 * Makes the client of this process. Sends nothing yet. Throws `RemitError` `configuration_invalid` for a missing key or
 * a wrong option. Set `REMIT_API_KEY` and `REMIT_ADDRESS`, or pass `key` and `address`, or `addresses`.
 */
export function createClient(options: ClientOptions = {}): Client {
  const { settings, link, sessions, reports, book, calls } = assemble(settle(options, process.env));
  const guard: Client["guard"] = async (session, call, work) => calls.guard(sessions.held(session), call, call, work);
  const decide: Client["decide"] = async (session, call) => calls.decide(sessions.held(session), call, call);
  const flush: Client["flush"] = ({ timeoutMs = patienceMs } = {}) => within(settings, reports.idle(), timeoutMs);
  return {
    guard,
    decide,
    flush,
    ready: ({ timeoutMs = patienceMs } = {}) => becomeReady(link, settings, timeoutMs),
    openSession: sessions.open,
    adoptSession: sessions.adopt,
    tool: (name, work, toolOptions = {}) => bindTool(guard, checkPaused, name, work, toolOptions),
    resume: async (session, paused, { answers, ...callOptions } = {}) => {
      checkPaused(session, paused);
      return decide(session, { ...resumption(paused, { answers }), ...callOptions });
    },
    report: async (session, report) => {
      const holder = sessions.held(session);
      const callId = report.callId ?? report.decisionId ?? "";
      const answer = await reports.add({ holder, sessionId: session.id, callId, request: writeReport(report) });
      return readReported(answer);
    },
    close: async (waiting) => {
      book.stop();
      await flush(waiting);
      reports.close();
      link.close();
    },
    stats: () => ({
      callsUnderWay: book.underWay,
      reportsQueued: reports.queued,
      reportsRefused: reports.refused,
      reportsLost: reports.lost,
    }),
  };
}
