import { engineVersion } from "@remit/engine";
import { trailOf } from "../behaviour/index.ts";
import { Canonical, canonical } from "../foundation/canonical.ts";
import { msOf, rfc3339, utcDay } from "../foundation/clock.ts";
import { digest } from "../foundation/digest.ts";
import { rootOf } from "../identities/index.ts";
import type { NewRecord } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import { type Ask, type Asker, judgedUnder } from "./ask.ts";
import { RETRY_AFTER_DEFAULT_MS } from "./attempt.ts";
import { type CallName, callDigests } from "./call.ts";
import { callEvent } from "./call-event.ts";
import type { Decision, DecisionBody, Reason, Would } from "./decision.ts";
import { partsOf } from "./entry-parts.ts";
import type { Finding, Judged } from "./finding.ts";
import { chargeOf, type Holding, type HoldingSaid, sayHolding } from "./holding.ts";
import type { Redacted } from "./redact.ts";
import { sessionSaid } from "./session-said.ts";
import { spendingNote } from "./spending-stop.ts";
import { type BreakerNote, noteOf } from "./stopped-call.ts";

/** An allowed call must start within this time, else it is asked again. */
const EXECUTE_WITHIN_MS = 60_000;
/** How long after that its report may take, unless a constraint or its tool says longer. */
export const REPORT_WITHIN_MS = 5 * 60_000;

/** A decision on its way to the ledger. */
export interface DecisionDraft {
  readonly decision: Omit<Decision, "record" | "replayed">;
  readonly record: NewRecord;
}

/** The same before its entry's text is bytes with a digest. */
export interface WrittenDecision {
  readonly text: string;
  readonly draft: (digested: Pick<NewRecord, "body" | "digest">) => DecisionDraft;
}

export function reasonOf(
  verdict: Pick<Finding, "effect" | "code" | "message" | "retryable" | "retryAfterMs" | "detail" | "remedy">,
): Reason {
  const { effect, code, message, retryable, retryAfterMs = RETRY_AFTER_DEFAULT_MS, detail, remedy } = verdict;
  const waits = effect === "deny" && retryable && { retry_after_ms: retryAfterMs };
  return { code, message, retryable, ...waits, ...(detail && { detail }), ...(remedy && { remedy }) };
}

export function wouldOf(verdict: Finding): Would | undefined {
  if (!verdict.would) return undefined;
  const { effect, rules } = verdict.would;
  return { effect, rules, reason: reasonOf(verdict.would) };
}

/** The tool may run: its deadlines. */
function deadlines(
  verdict: Finding,
  longestRunMs: number,
  nowMs: number,
): Pick<DecisionBody, "execute_before" | "report_by"> {
  if (verdict.effect !== "allow" && verdict.effect !== "transform") return {};
  const timeout = verdict.constraints.find(({ name }) => name === "timeout");
  const runMs = timeout?.name === "timeout" ? timeout.durationMs : 0;
  const executeBeforeMs = nowMs + EXECUTE_WITHIN_MS;
  return {
    execute_before: rfc3339(executeBeforeMs),
    report_by: rfc3339(executeBeforeMs + Math.max(runMs, longestRunMs, REPORT_WITHIN_MS)),
  };
}

function breakerOf({ spending, stopping }: Judged): BreakerNote | undefined {
  if (spending) return spendingNote(spending);
  return stopping && noteOf(stopping);
}

/** The canonical form of a list of rules, of which there may be thousands: put together, not walked. */
function writtenRules(rules: DecisionBody["rules"]): Canonical {
  let text = "[";
  let [named, written]: [string | undefined, string] = [undefined, ""];
  for (const { policy, rule, version } of rules) {
    // Most follow another of their policy.
    if (policy !== named) written = canonical(policy);
    named = policy;
    text += `${text === "[" ? "" : ","}{"policy":${written},"rule":${canonical(rule)},"version":${version}}`;
  }
  return new Canonical(`${text}]`);
}

/** `transformed` is the canonical form of the input that must run, when a rule changed it. */
function decisionBody(
  id: string,
  ask: Ask,
  judged: Judged,
  snapshot: Snapshot,
  nowMs: number,
  transformed: string | undefined,
  holding: HoldingSaid,
): DecisionBody {
  const { verdict } = judged;
  const inputDigest = digest("input", ask.input.canonical);
  const would = wouldOf(verdict);
  const breaker = breakerOf(judged);
  const tool = snapshot.compiled.tools.get(ask.tool);
  const registered = tool?.schemaDigest;
  return {
    id,
    attempt: judged.facts.call.attempt,
    effect: verdict.effect,
    mode: verdict.mode,
    ...(would && { would }),
    reason: reasonOf(verdict),
    rules: verdict.rules,
    constraints: verdict.constraints,
    ...(verdict.approval && { approval: { state: "pending", ...verdict.approval } }),
    ...(verdict.questions && { questions: verdict.questions }),
    policy_digest: snapshot.policyDigest,
    ...(judged.rollout && { rollout: judged.rollout }),
    ...(breaker && { breaker }),
    ...(registered && { tool_schema_digest: registered }),
    input_digest: inputDigest,
    effective_input_digest: transformed === undefined ? inputDigest : digest("input", transformed),
    revision: { security: `${snapshot.revisions.security}`, policy: `${snapshot.revisions.policy}` },
    trace_id: ask.traceId,
    at: rfc3339(nowMs),
    ...deadlines(verdict, tool?.longestRunMs ?? 0, nowMs),
    ...holding,
  };
}

/** Writes the entry of a decision: what it says, who asked, and everything that it was judged from. */
export function writeDecision(
  id: string,
  asker: Asker,
  ask: Ask,
  judged: Judged,
  snapshot: Snapshot,
  nowMs: number,
  name: CallName,
  redacted?: Redacted,
  holding?: Holding,
): WrittenDecision {
  const { session } = asker;
  const { facts } = judged;
  const verdict = redacted?.verdict ?? judged.verdict;
  const { transformedInput } = verdict;
  const transformed = transformedInput && canonical(transformedInput);
  const said = sayHolding(id, holding);
  const whole = decisionBody(id, ask, { ...judged, verdict }, snapshot, nowMs, transformed, said);
  const body = redacted ? { ...whole, redacted: redacted.paths } : whole;
  // Digests are over what was asked and what must run; what stands in the entry may say less.
  const parts = redacted?.parts ?? partsOf({ input: ask.input.canonical, context: ask.context.canonical, transformed });
  const text = canonical({
    ...body,
    rules: writtenRules(body.rules),
    ...parts.inline,
    v: 1,
    kind: "decision",
    engine: engineVersion,
    tenant: session.tenant,
    caller: facts.caller,
    session: facts.session,
    agent: facts.agent,
    ...sessionSaid(session),
    scopes: ask.scopes?.written ?? facts.scopes,
    tool: ask.tool,
    call: {
      id: ask.callId,
      business_key: name.kind === "business" ? name.id : undefined,
      estimate: facts.call.estimate,
      schema_digest: facts.call.schemaDigest,
    },
    // What stands beside the entry is bound to it by its digest; what stands in it needs none.
    context_digest: parts.isContextBeside ? digest("input", ask.context.canonical) : undefined,
    aside_digest: redacted?.asideDigest,
    answers: new Canonical(ask.answers.canonical),
    supported_constraints: ask.supportedConstraints,
    unknowns: verdict.unknowns,
    budget: facts.budget,
  });
  const digests = callDigests(name, body.attempt, ask.tool, body.input_digest);
  const event = callEvent(body, session, ask, digests, { ...judged, verdict }, nowMs);
  const charge = chargeOf(holding, body);
  const draft: WrittenDecision["draft"] = (digested) => ({
    decision: {
      ...{ body, transformedInput, answers: ask.answers.value, askedBy: facts.caller.id },
      ...{ callId: ask.callId, tool: ask.tool },
    },
    record: {
      id,
      tenant: session.tenant,
      session: session.id,
      sessionDay: utcDay(session.openedAtMs),
      key: digests.key,
      request: digests.request,
      kind: "decision",
      securityRevision: judgedUnder(asker, snapshot.revisions),
      ...digested,
      ...(parts.aside && { aside: parts.aside }),
      ...(charge && { charge }),
      ...(body.report_by && { expiresAtMs: msOf(body.report_by) }),
      ...(event && { counted: { run: rootOf(session), trail: trailOf(event) } }),
    },
  });
  return { text, draft };
}
