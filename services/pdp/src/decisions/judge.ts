import { evaluate, type Facts, type Scope, type Verdict } from "@remit/engine";
import { formatAmount } from "../foundation/amount.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { endedBecause } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { modeOf } from "./mode.ts";

/** The engine's verdict, or a denial that came before it. */
export type Finding = Omit<Verdict, "code"> & { readonly code: string };

/** A finding, and what it was judged from. */
export interface Judged {
  readonly verdict: Finding;
  readonly facts: Facts;
}

/** A denial that no policy was asked for. */
function refusal(code: string, message: string): Finding {
  return {
    effect: "deny",
    code,
    message,
    retryable: false,
    rules: [],
    mode: "enforced",
    constraints: [],
    unknowns: [],
  };
}

/** What stands in the way of any call of this asker, before its policies are looked at. In order of precedence. */
export function barred(snapshot: Snapshot, { session }: Asker, nowMs: number): Finding | undefined {
  const ended = endedBecause(session, nowMs);
  if (ended) return refusal(ended, "This session has ended. Open a new one to go on.");
  const agent = snapshot.agents.get(session.agent);
  if (!agent || agent.spec.status === "suspended") {
    return refusal("agent_suspended", "This agent may not act now. Its owner can say why.");
  }
  return undefined;
}

/** Every scope that binds the session: its agent's ceiling and its own. All must permit. */
function scopesOf(snapshot: Snapshot, { session }: Asker): Scope[] {
  const ceiling = snapshot.agents.get(session.agent)?.spec.ceiling;
  return [ceiling, session.scope].filter((scope) => scope !== undefined);
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
      estimate: ask.estimate.map(({ unit, micros }) => ({ unit, value: formatAmount(micros) })),
      attempt,
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
    now: rfc3339(nowMs),
    scopes: scopesOf(snapshot, asker),
    mode: modeOf(snapshot, agent, ask.tool),
    supportedConstraints: ask.supportedConstraints,
  };
}

/** Judges one call. Pure: the same arguments give the same verdict, whenever and wherever. */
export function judge(snapshot: Snapshot, asker: Asker, ask: Ask, attempt: number, nowMs: number): Judged {
  const facts = factsOf(snapshot, asker, ask, attempt, nowMs);
  return { facts, verdict: barred(snapshot, asker, nowMs) ?? evaluate(snapshot.compiled, facts) };
}
