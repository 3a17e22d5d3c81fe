import { performance } from "node:perf_hooks";
import type { Would } from "@remit/proto/decision";
import { effectWord, mayRun, ruleName } from "../effects.ts";
import { type Asker, refusal, type TraceSession } from "./asker.ts";
import { createLatency } from "./latency.ts";
import type { TraceResult } from "./summary.ts";
import { createTally, type Played } from "./tally.ts";
import type { LineProblem, TracedCall } from "./trace-line.ts";

/** Where the time of a log begins that does not say when its calls were made. */
export const START_MS = Date.parse("2026-01-01T00:00:00Z");
const BETWEEN_CALLS_MS = 1000;
const RENEW_AHEAD_MS = 60_000;

export interface PlayOptions {
  readonly trace: AsyncIterable<TracedCall | LineProblem>;
  readonly principalOf: (run: string) => string;
  readonly asker: Asker;
  /** Moves the service's time to that of the call. */
  readonly setTime: (ms: number) => void;
  /** Called after every call. */
  readonly onPlayed: (played: Played) => Promise<void> | void;
}

/** Keeps one session a run, with a token that has not expired; a run longer than a session may live gets another. */
function sessionKeeper({ asker, principalOf }: PlayOptions): (run: string, nowMs: number) => Promise<TraceSession> {
  const sessions = new Map<string, TraceSession>();
  return async (run, nowMs) => {
    const known = sessions.get(run);
    if (known !== undefined && nowMs < known.tokenExpiresAtMs - RENEW_AHEAD_MS) return known;
    const renewable = known !== undefined && nowMs < known.expiresAtMs - RENEW_AHEAD_MS;
    const session = renewable ? await asker.renew(known) : await asker.open(run, principalOf(run));
    sessions.set(run, session);
    return session;
  };
}

function wouldOf({ effect, reason, rules }: Would): NonNullable<Played["would"]> {
  return { effect: effectWord(effect), code: reason?.code ?? "", rules: rules.map(ruleName) };
}

/** Decides and reports every call of a log in order, one at a time: as each was made, with nothing in between. */
export async function play(options: PlayOptions): Promise<TraceResult> {
  const { trace, asker, setTime, onPlayed } = options;
  const sessionOf = sessionKeeper(options);
  const tally = createTally();
  const latency = createLatency();
  const runs = new Set<string>();
  const beganMs = performance.now();
  let nowMs = START_MS - BETWEEN_CALLS_MS;

  const decide = async (call: TracedCall): Promise<{ played: Played; message: string }> => {
    const { line, run, step, tool } = call;
    const session = await sessionOf(run, nowMs);
    const askedMs = performance.now();
    try {
      const answer = await asker.decide(session, call);
      latency.record(performance.now() - askedMs);
      const effect = effectWord(answer.effect);
      if (mayRun(effect)) await asker.report(session, answer.decisionId, call.failed ?? false);
      const { code = "", message = "" } = answer.reason ?? {};
      const rules = answer.rules.map(ruleName);
      const would = answer.would && wouldOf(answer.would);
      return { played: { line, run, step, tool, effect, code, rules, ...(would && { would }) }, message };
    } catch (error) {
      const refused = refusal(error);
      if (refused === undefined) throw error;
      return {
        played: { line, run, step, tool, effect: "error", code: refused.code, rules: [] },
        message: refused.message,
      };
    }
  };

  for await (const call of trace) {
    // The log was read whole before, so this is a file that changed meanwhile.
    if ("message" in call) throw new Error(`line ${call.line}: ${call.message}`);
    nowMs = call.atMs ?? nowMs + BETWEEN_CALLS_MS;
    setTime(nowMs);
    runs.add(call.run);
    const { played, message } = await decide(call);
    tally.add(played, message);
    await onPlayed(played);
  }
  return {
    tally: tally.result(),
    latency: latency.result(),
    runs: runs.size,
    seconds: (performance.now() - beganMs) / 1000,
  };
}
