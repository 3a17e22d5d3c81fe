import { create } from "@bufbuild/protobuf";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Effect } from "@remit/proto/common";
import { type DecideRequest, DecideRequestSchema, DecideResponseSchema, Outcome } from "@remit/proto/decision";
import type { Dump } from "./dump.ts";
import type { Questions, Story } from "./story.ts";
import { asked, reported, type Told } from "./teller.ts";

/*
 * Where this build answers otherwise than a kept one did, on purpose: each with the schema of the last build that
 * answered the old way. All else must be as it was.
 */

/** Until 3: an approval that nobody gave stayed pending for ever. Now its call has one more attempt. */
function expired({ answer }: Told, nowMs: number): boolean {
  const { effect, approval, evaluatedAt } = asked.answer(answer);
  if (effect !== Effect.ESCALATE || evaluatedAt === undefined) return false;
  const lives = approval?.requirements.map(({ expires }) => (expires ? durationMs(expires) : Infinity)) ?? [];
  return timestampMs(evaluatedAt) + Math.min(...lives) <= nowMs;
}

const EXPIRED = asked.json(
  create(DecideResponseSchema, { attempt: 2, effect: Effect.DENY, reason: { code: "approval_expired" } }),
);

/** One was asked for by a policy that is not in force any more. */
const ALLOWED = asked.json(
  create(DecideResponseSchema, { attempt: 2, effect: Effect.ALLOW, reason: { code: "rule_allowed" } }),
);

/** What this build answers to the calls of a kept one. */
export function againNow(schema: number, { answers, answeredAtMs }: Story): Told[] {
  if (schema > 3) return [...answers.again];
  return answers.again.map((told) => {
    if (!expired(told, answeredAtMs)) return told;
    return { ...told, answer: told.request.callId === "under-the-mistake" ? ALLOWED : EXPIRED };
  });
}

const settles = (outcome: Outcome): boolean => outcome !== Outcome.RUNNING && outcome !== Outcome.UNKNOWN;

/**
 * What this build answers to the reports of a kept one. Until 3: a report that left its call open was answered as
 * itself for ever, now with the one that settled the call since; that a call never came was said beside the call, now it
 * takes the call's place; and the same word that a call still runs was one for ever, now it makes time again.
 */
export function reportedNow(schema: number, { answers }: Story): Told[] {
  if (schema > 3) return [...answers.reportedAgain];
  return answers.reportedAgain.map((told) => {
    const { decisionId, outcome } = reported.answer(told.answer);
    const settled = answers.reportedAgain.find(({ answer }) => {
      const other = reported.answer(answer);
      return other.decisionId === decisionId && settles(other.outcome);
    });
    if (decisionId === "" || (outcome === Outcome.RUNNING && !settled)) {
      const { record: _, replayed, ...answer } = told.answer;
      return { ...told, answer };
    }
    if (settled === undefined || settles(outcome)) return told;
    return { ...told, answer: { ...settled.answer, inputMatches: told.answer.inputMatches ?? false } };
  });
}

const wouldHold = (effect: Effect): boolean =>
  effect === Effect.ALLOW || effect === Effect.TRANSFORM || effect === Effect.ESCALATE;

/**
 * What this build answers to the fresh calls of a kept one. Until 18: budgets were declared and bound nothing. The one
 * that a story declares is hard and covers every call of the tenant: where neither a call nor its tool says what it
 * costs in EUR, it is denied where it ran. All else of the answer is as it was.
 */
export function freshNow(schema: number, { answers }: Story, database: Dump): Told[] {
  const declares = database.tables.some(({ name, rows }) => name === "budget" && rows.length > 0);
  if (schema > 18 || !declares) return [...answers.fresh];
  return answers.fresh.map((told) => {
    const { effect, estimate } = { ...asked.answer(told.answer), ...asked.request(told.request) };
    if (!wouldHold(effect) || estimate.length > 0) return told;
    const { transformedJson: _, constraints, approval, ...answer } = told.answer;
    const denied = asked.json(
      create(DecideResponseSchema, { effect: Effect.DENY, reason: { code: "estimate_missing" } }),
    );
    return { ...told, answer: { ...answer, ...denied, effectiveInputDigest: told.answer.inputDigest ?? "" } };
  });
}

/** What a call costs that nobody is charged for: told so that a hard budget lets it pass. */
export const COSTS_NOTHING = { estimate: [{ unit: "EUR", value: "0" }] };

/** Calls that all say what they cost in the unit of the stories' budget: of these this build answers as the kept one. */
export function withCosts({ books, flights }: Questions): Questions {
  const told = (requests: readonly DecideRequest[]) =>
    requests.map(({ $typeName: _, ...request }) =>
      create(DecideRequestSchema, { ...request, ...(request.estimate.length === 0 && COSTS_NOTHING) }),
    );
  return { books: told(books), flights: told(flights) };
}
