import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Told } from "./teller.ts";

const object = (value: JsonValue | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};

/**
 * An answer without what is said to people, since words may be put better, and without how fresh it was; a forced input
 * by its digest alone.
 */
function unworded({ transformedJson, stalenessMs: _, ...answer }: JsonObject): JsonObject {
  const { message, detail, remedy, ...reason } = object(answer.reason);
  if (transformedJson === undefined) return { ...answer, reason };
  return { ...answer, reason, transformed: createHash("sha256").update(String(transformedJson)).digest("hex") };
}

/** Answers under their session and call. */
export function byCall(told: readonly Told[]): Record<string, JsonObject> {
  return Object.fromEntries(
    told.map(({ session, request, answer }) => [`${session}/${request.callId}`, unworded(answer)]),
  );
}

/** What every build says of a decision, whichever made it, under its session and call. */
export function decisions(told: readonly Told[]): Record<string, JsonObject> {
  const known = Object.entries(byCall(told)).map(([at, answer]): [string, JsonObject] => {
    const { decisionId, attempt, effect, rules, constraints, questions, record, inputDigest } = answer;
    const { effectiveInputDigest, transformed, policyDigest, executeBefore, reason } = answer;
    const { code } = object(reason);
    const what = { decisionId, attempt, effect, rules, constraints, questions, record, inputDigest, code };
    return [at, { ...what, effectiveInputDigest, transformed, policyDigest, executeBefore } as JsonObject];
  });
  return Object.fromEntries(known);
}

/** Answers to reports under what they were about and what was said, without the time that is left from now on. */
export function byReport(told: readonly Told[]): Record<string, JsonObject> {
  const entries = told.map(({ session, request, answer }) => {
    const { reportBy, ...said } = answer;
    return [`${session}/${request.decisionId ?? request.callId}/${request.outcome}`, said];
  });
  return Object.fromEntries(entries);
}

/** The name of a call without the word before its first hyphen, which says who asked it. */
export const unprefixed = (callId: JsonValue | undefined): string => String(callId).replace(/^[a-z]+-/, "");

/** What policies make of a call, whenever and by whomever it is asked. */
export function verdicts(told: readonly Told[]): Record<string, JsonObject> {
  const entries = told.map(({ request, answer }) => {
    const { decisionId, record, traceId, evaluatedAt, executeBefore, reportBy, revision, ...verdict } =
      unworded(answer);
    const { approval, ...rest } = verdict;
    const { expiresAt, ...asksFor } = object(approval);
    const recorded = object(record).n !== undefined;
    return [unprefixed(request.callId), { ...rest, approval: asksFor, recorded }];
  });
  return Object.fromEntries(entries);
}
