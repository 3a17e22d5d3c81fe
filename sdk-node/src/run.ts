import { type Amount, createTally } from "./amount.ts";
import { type Constraint, outputBytes, runLimits } from "./constraints.ts";
import { denyLocally, type Permitted } from "./decision.ts";
import { outputDigest } from "./digest.ts";
import { ConstraintError, DeniedError, NothingSpent } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Report } from "./report.ts";
import type { Timers } from "./timers.ts";

/** What a tool gets besides its input. */
export interface ToolRun {
  /** Aborted when Remit cancels the call, at its timeout, and when the caller gives up. */
  readonly signal: AbortSignal;
  /** What the call must honour. The SDK honours timeout, maxOutputBytes and requireIdempotencyKey itself. */
  readonly constraints: readonly Constraint[];
  /** A signature that the other side can verify offline, if there is one. */
  readonly permit: string | undefined;
  /** The decision's id: hand it on to whatever the tool calls, so that a repeat does nothing twice. */
  readonly idempotencyKey: string;
  readonly decision: Permitted;
  /** Adds to what the call really cost. Never called: what is held counts as spent. */
  cost(amount: Amount): void;
}

/** A tool's own work. Runs only when the call is allowed, with what was decided. */
export type Work<Input, Output> = (input: Input, run: ToolRun) => Output | Promise<Output>;

export interface RunOptions {
  readonly timers: Timers;
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
  /** Hands out a way to abort the call, for as long as it runs. */
  running(cancel: (code: string) => void): () => void;
  /** Takes the report of what happened. Called once. */
  report(report: Report): void;
}

function withDeadline<T>(work: Promise<T>, late: Promise<never> | undefined): Promise<T> {
  return late ? Promise.race([work, late]) : work;
}

/** Refuses an output that is larger than a constraint allows, or whose size cannot be known. */
function checkOutput(output: unknown, bytesMax: number | undefined, decisionId: string): void {
  if (bytesMax === undefined) return;
  const bytes = outputBytes(output);
  if (bytes !== undefined && bytes <= bytesMax) return;
  const size = bytes === undefined ? "an output whose size cannot be known" : `${bytes} bytes`;
  const message = `The tool ran, but it returned ${size} where at most ${bytesMax} bytes are allowed.`;
  throw new ConstraintError("maxOutputBytes", bytesMax, decisionId, message);
}

/** A signal of the run, and a promise that rejects when its time is over. */
function bounded(permitted: Permitted, options: RunOptions) {
  const { timers, signal } = options;
  const { timeoutMs } = runLimits(permitted.constraints);
  const abort = new AbortController();
  const passOn = (): void => abort.abort(signal?.reason);
  signal?.addEventListener("abort", passOn, { once: true });
  let cancelled: string | undefined;
  const done = options.running((code) => {
    cancelled ??= code;
    const message = `Remit asked this call to stop (${code}).`;
    abort.abort(new DeniedError(denyLocally(permitted, code, message, { recorded: permitted })));
  });
  let cancelTimeout = (): void => {};
  const late =
    timeoutMs === undefined
      ? undefined
      : new Promise<never>((_, reject) => {
          cancelTimeout = timers.after(timeoutMs, () => {
            const message = `The tool was stopped: it may run for at most ${timeoutMs} ms.`;
            const error = new ConstraintError("timeout", timeoutMs, permitted.decisionId, message);
            abort.abort(error);
            reject(error);
          });
        });
  const end = (): void => {
    cancelTimeout();
    signal?.removeEventListener("abort", passOn);
    done();
  };
  return { signal: abort.signal, late, end, cancelledBy: () => cancelled };
}

/**
 * Runs a permitted call under its constraints and reports it: succeeded when the work returned, failed when it threw
 * `NothingSpent`, unknown when it threw anything else or ran out of time. What the work throws is thrown on unchanged.
 */
export async function runPermitted<Input, Output>(
  permitted: Permitted,
  work: Work<Input, Output>,
  options: RunOptions,
): Promise<Output> {
  const { timers } = options;
  const { decisionId, constraints, permit, idempotencyKey, effectiveInputDigest: inputDigest } = permitted;
  const tally = createTally();
  const startedAt = new Date(timers.wallMs());
  const startedMs = timers.monotonicMs();
  const report = (outcome: Report["outcome"], digest?: string): void => {
    const actual = tally.totals();
    const durationMs = timers.monotonicMs() - startedMs;
    const outputDigest = digest;
    // Whatever came of it, it had been asked to stop.
    const code = limits.cancelledBy();
    const labels = code === undefined ? [] : [`cancelled:${code}`];
    options.report({ decisionId, outcome, actual, inputDigest, outputDigest, labels, startedAt, durationMs });
  };
  const limits = bounded(permitted, options);
  const run: ToolRun = {
    signal: limits.signal,
    constraints,
    permit,
    idempotencyKey,
    decision: permitted,
    cost: tally.add,
  };
  let output: Output;
  try {
    const started = (async () => work(permitted.input as JsonObject as Input, run))();
    output = await withDeadline(started, limits.late);
  } catch (error) {
    report(error instanceof NothingSpent ? "failed" : "unknown");
    throw error;
  } finally {
    limits.end();
  }
  report("succeeded", outputDigest(output));
  checkOutput(output, runLimits(constraints).outputBytesMax, decisionId);
  return output;
}
