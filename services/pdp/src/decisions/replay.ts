import { assert } from "../foundation/assert.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import type { StoredRecord } from "../ledger/index.ts";
import type { Decision, DecisionBody } from "./decision.ts";

const text = new TextDecoder();

/** The body of a record as an object. */
export function bodyOf(record: StoredRecord): JsonObject {
  return JSON.parse(text.decode(record.body)) as JsonObject;
}

/** The decision that a record holds. */
export function storedDecision(record: StoredRecord): Decision {
  assert(record.kind === "decision", `record ${record.id} is a ${record.kind}, not a decision`);
  const body = bodyOf(record) as unknown as DecisionBody & { transformed_input?: JsonObject };
  const beside = record.aside ? (JSON.parse(text.decode(record.aside)) as { transformed_input?: JsonObject }) : {};
  return {
    body,
    record: { epoch: record.epoch, n: record.n },
    transformedInput: body.transformed_input ?? beside.transformed_input,
    replayed: true,
  };
}

/** A decision that was made, answered as a denial: what it allowed may not start any more. */
function tooLate(decision: Decision, code: string, message: string): Decision {
  const { would, approval, questions, execute_before, report_by, ...rest } = decision.body;
  return {
    ...decision,
    transformedInput: undefined,
    body: { ...rest, effect: "deny", reason: { code, message, retryable: false }, constraints: [] },
  };
}

/** Whether a decision lets the tool run. */
export function mayStart({ body }: Decision): boolean {
  return body.effect === "allow" || body.effect === "transform";
}

/**
 * What a call that had been decided is answered when it is asked again: the same decision while the call may still
 * start; a denial once it ran (`outcome`, the first that was reported), its session or agent may not act any more
 * (`bar`), or it came too late.
 */
export function answerAgain(
  decision: Decision,
  outcome: string | undefined,
  nowMs: number,
  bar?: { readonly code: string; readonly message: string },
): Decision {
  if (!mayStart(decision)) return decision;
  const { execute_before: executeBefore } = decision.body;
  if (outcome !== undefined) {
    return tooLate(decision, "already_executed", `This call was already made; it was reported as ${outcome}.`);
  }
  if (bar) return tooLate(decision, bar.code, bar.message);
  if (executeBefore !== undefined && nowMs >= Date.parse(executeBefore)) {
    return tooLate(decision, "decision_expired", "This call was allowed earlier and not started in time. Ask anew.");
  }
  return decision;
}
