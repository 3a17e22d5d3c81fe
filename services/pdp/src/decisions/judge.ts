import { barredTool, estimateFor, evaluate, type Facts, type Verdict } from "@remit/engine";
import { formatAmount } from "../foundation/amount.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { limits } from "../foundation/limits.ts";
import type { Session } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import { barredChain, scopesOf } from "./chain.ts";
import type { DecisionCode } from "./codes.ts";
import type { Decision, ReportedOn } from "./decision.ts";
import { type Bar, type Finding, type Judged, refusal, watched } from "./finding.ts";
import { modeOf } from "./mode.ts";
import { revokedBecause, toolRevoked } from "./revoked-call.ts";
import { stoppedFinding } from "./stopped-call.ts";

/** What else may stand in the way of a tool or a session. */
const NO_REVOCATION: ReadonlySet<DecisionCode> = new Set([
  "session_closed",
  "delegation_expired",
  "depth_exceeded",
  "tool_unknown",
  "tool_schema_changed",
]);

const NOTHING_RUNS = "Nothing may run here now. Whoever runs this service can say why.";

/** What stands in the way of any call of this session, before its policies are looked at. In order of precedence. */
export function barred(snapshot: Snapshot, session: Session, nowMs: number): Finding | undefined {
  const { status } = snapshot.settings;
  if (status !== "active") return refusal(`tenant_${status}`, NOTHING_RUNS);
  return barredChain(snapshot, session, nowMs) ?? revokedBecause(snapshot, session);
}

/** The same of a call of one tool. */
function barredCall(snapshot: Snapshot, session: Session, tool: string, nowMs: number): Finding | undefined {
  return barred(snapshot, session, nowMs) ?? toolRevoked(snapshot, tool);
}

/** Everything that the policies may know of a call. */
export function factsOf(snapshot: Snapshot, asker: Asker, ask: Ask, attempt: number, nowMs: number): Facts {
  const { caller, session } = asker;
  const agent = snapshot.agents.get(session.agent);
  return {
    input: ask.input.value,
    context: ask.context.value,
    answers: ask.answers.value,
    call: {
      tool: ask.tool,
      estimate: estimateFor(
        snapshot.compiled,
        ask.tool,
        ask.input.value,
        ask.estimate.map(({ unit, micros }) => ({ unit, value: formatAmount(micros) })),
      ),
      attempt,
      ...(ask.schemaDigest && { schemaDigest: ask.schemaDigest }),
    },
    agent: { id: session.agent, labels: agent?.spec.labels ?? {}, owner: agent?.metadata.owner ?? "" },
    principal: session.principal,
    session: {
      id: session.id,
      labels: session.labels,
      depth: session.depth,
      purpose: session.purpose,
      ageSeconds: Math.max(0, Math.floor((nowMs - session.openedAtMs) / 1000)),
    },
    caller: { id: caller.id, name: caller.name },
    ...(ask.budgets && { budget: ask.budgets }),
    now: rfc3339(nowMs),
    scopes: scopesOf(snapshot, session),
    ...(ask.scopes && { scopesRead: ask.scopes.read }),
    mode: modeOf(snapshot, agent, ask.tool),
    supportedConstraints: ask.supportedConstraints,
  };
}

/** A verdict that tells of no more unknown rules than anybody reads: there may be as many as a tool has rules. */
function told(verdict: Verdict): Verdict {
  const { unknowns } = verdict;
  if (unknowns.length <= limits.unknownsToldMax) return verdict;
  return { ...verdict, unknowns: unknowns.slice(0, limits.unknownsToldMax) };
}

/** Judges one call. Pure: the same arguments give the same verdict, whenever and wherever. */
export function judge(snapshot: Snapshot, asker: Asker, ask: Ask, attempt: number, nowMs: number): Judged {
  const facts = factsOf(snapshot, asker, ask, attempt, nowMs);
  const bar = barredCall(snapshot, asker.session, ask.tool, nowMs);
  return { facts, verdict: bar ?? told(evaluate(snapshot.compiled, facts)) };
}

/** A call that breakers stop, unless more stands in its way; undefined where its policies are to be asked. */
function judgeStopped(snapshot: Snapshot, asker: Asker, ask: Ask, attempt: Attempt, nowMs: number): Judged | undefined {
  const { number, stopping } = attempt;
  if (!stopping || barredCall(snapshot, asker.session, ask.tool, nowMs)) return undefined;
  const facts = factsOf(snapshot, asker, ask, number, nowMs);
  const denial = stoppedFinding(ask.tool, stopping);
  if (facts.mode === "observe") return { facts, verdict: watched(denial), stopping };
  return stopping.observed ? undefined : { facts, verdict: denial, stopping };
}

/** Judges one attempt of a call: what came of the attempts before it counts too. */
export function judgeAttempt(snapshot: Snapshot, asker: Asker, ask: Ask, attempt: Attempt, nowMs: number): Judged {
  const { number, approvalExpired, forced, stopping } = attempt;
  const stopped = forced ? undefined : judgeStopped(snapshot, asker, ask, attempt, nowMs);
  if (stopped) return stopped;
  const judged = { ...judge(snapshot, asker, ask, number, nowMs), ...(stopping?.observed && { stopping }) };
  if (forced) {
    if (judged.facts.mode !== "observe") return { ...judged, verdict: forced };
    // What binds where policies are only watched is an operator's own hand: no earlier outcome lifts it.
    return judged.verdict.mode === "observed" ? { ...judged, verdict: watched(forced) } : judged;
  }
  if (!approvalExpired || judged.verdict.effect !== "escalate") return judged;
  const message = "The approval ran out before enough people had agreed. Ask under another call id to ask them again.";
  return { ...judged, verdict: { ...refusal("approval_expired", message), rules: judged.verdict.rules } };
}

/**
 * What was taken of a decision that allowed its call, since: for the entry of its report. That its session ended in order
 * is none of it.
 */
export function revokedSince(
  snapshot: Snapshot,
  session: Session,
  { body, tool }: ReportedOn,
  nowMs: number,
): DecisionCode | undefined {
  if (body.effect !== "allow" && body.effect !== "transform") return undefined;
  const code = (barredCall(snapshot, session, tool, nowMs) ?? barredTool(snapshot.compiled, { tool }))?.code;
  return code === undefined || NO_REVOCATION.has(code) ? undefined : code;
}

/** Codes of what nothing may run against, whatever a policy said a moment ago. */
const STANDING = new Set(["tool_unknown", "scope_exceeded"]);

/**
 * What stands in the way now of a call that was allowed before: its session, its agent, what either may ask for, its
 * tool. Not its policies: within its minute an allowed call stays allowed by them.
 */
export function barredAgain(
  snapshot: Snapshot,
  asker: Asker,
  ask: Ask,
  last: Decision,
  nowMs: number,
): Bar | undefined {
  const bar = barredCall(snapshot, asker.session, ask.tool, nowMs);
  if (bar) return { code: bar.code, message: bar.message, kills: true };
  // What was allowed was a call of the tool as it was then.
  const { tool_schema_digest: schemaDigest } = last.body;
  const tool = barredTool(snapshot.compiled, { tool: ask.tool, ...(schemaDigest !== undefined && { schemaDigest }) });
  if (tool) return { code: tool.code, message: tool.message, kills: tool.code === "tool_suspended" };
  const { facts, verdict } = judge(snapshot, asker, ask, last.body.attempt, nowMs);
  // It was allowed because policies were only watched; now that they bind, it is theirs to allow.
  if (last.body.mode === "observed" && facts.mode === "enforce" && verdict.effect !== "allow") {
    if (verdict.effect === "deny") return { code: verdict.code, message: verdict.message, kills: true };
    const message =
      "Policies bind since this call was allowed, and would not let it run as it is. Ask under another call id.";
    return { code: "decision_expired", message, kills: true };
  }
  return STANDING.has(verdict.code) ? { code: verdict.code, message: verdict.message, kills: false } : undefined;
}
