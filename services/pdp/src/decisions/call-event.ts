import type { CallEvent, EndEvent, TripEvent } from "../behaviour/index.ts";
import { timeOfId } from "../foundation/ids.ts";
import type { Session } from "../identities/index.ts";
import type { Ask, Told } from "./ask.ts";
import { short, shortInput, shortOutput } from "./breakers.ts";
import type { CallDigests } from "./call.ts";
import type { DecisionBody } from "./decision.ts";
import type { Judged } from "./finding.ts";
import type { Subject } from "./report-entry.ts";
import { DENIAL_CLASS } from "./stopped-call.ts";

/** What stopped a call, or would have: whether it was this call that opened it. */
function tripOf({ stopping, spending }: Pick<Judged, "stopping" | "spending">) {
  if (spending) {
    const { budget: of, untilMs, observed, opened } = spending;
    return { opened, trip: { kind: "spending", reach: "agent", of, level: 0, untilMs, observed } satisfies TripEvent };
  }
  if (!stopping) return undefined;
  const { observed, stopped } = stopping;
  const { kind, reach, of } = stopped.measure;
  const { level, untilMs, opened } = stopped;
  return { opened, trip: { kind, reach, of, level, untilMs, observed } satisfies TripEvent };
}

/** What breakers will know of a decision; undefined where one that was open stopped it: that counts nothing. */
export function callEvent(
  body: Pick<DecisionBody, "id" | "attempt">,
  session: Session,
  { tool }: Pick<Ask, "tool">,
  { request, firstKey }: Pick<CallDigests, "request" | "firstKey">,
  judged: Pick<Judged, "verdict" | "stopping" | "spending">,
  nowMs: number,
): CallEvent | undefined {
  const { verdict } = judged;
  const tripped = tripOf(judged);
  if (tripped && !tripped.opened && !tripped.trip.observed) return undefined;
  // Where policies are only watched, breakers watch what would have become of it.
  const { effect, code } = verdict.would ?? verdict;
  const said = effect === "deny" ? "denied" : effect === "allow" || effect === "transform" ? "let" : "paused";
  const denial = said === "denied" ? DENIAL_CLASS[code] : undefined;
  const seen = { id: body.id, atMs: nowMs, session: session.id, tool, input: short(request) };
  const call = { event: "call", ...seen, call: short(firstKey), attempt: body.attempt, said } as const;
  if (!tripped) return { ...call, ...(denial && { denial }) };
  const { trip, opened } = tripped;
  return {
    ...{ ...call, ...(denial && { denial }) },
    ...(opened && { trip }),
    ...(trip.observed && { passed: true as const }),
  };
}

/** What breakers will know of a report; undefined where it says neither that its call succeeded nor that it did not. */
export function endEvent(
  id: string,
  told: Pick<Told, "outcome" | "outputDigest">,
  session: Session,
  decision: Subject,
  nowMs: number,
): EndEvent | undefined {
  if (!decision || told.outcome === "running" || told.outcome === "not_executed") return undefined;
  const { tool, body } = decision;
  return {
    ...{ event: "end", id, atMs: nowMs, session: session.id, tool, input: shortInput(tool, body.input_digest) },
    ...{ decision: body.id, calledAtMs: timeOfId(body.id), output: shortOutput(told.outputDigest) },
    // A tool that threw, and does not say that nothing happened, is reported as unknown: it did not succeed.
    outcome: told.outcome === "succeeded" ? "succeeded" : "failed",
  };
}
