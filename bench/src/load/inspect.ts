import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { DecideBatchResponseSchema, type DecideResponse, DecideResponseSchema } from "@remit/proto/decision";
import type { InspectName } from "./spec.ts";
import type { Inspect } from "./target.ts";

/** What is wrong with a decision that should be new; undefined when nothing is. */
function staleness(decision: DecideResponse): string | undefined {
  if (decision.replayed) return "replayed: a repeated call id was answered from memory";
  if (decision.effect === Effect.UNSPECIFIED) return "no effect";
  return decision.record === undefined ? "not recorded" : undefined;
}

function allowed(decision: DecideResponse): string | undefined {
  if (decision.effect === Effect.ALLOW) return staleness(decision);
  return `not allowed: ${decision.reason?.code ?? "no reason"}`;
}

function wholeBatch(answer: Uint8Array): string | undefined {
  for (const { outcome } of fromBinary(DecideBatchResponseSchema, answer).items) {
    if (outcome.case !== "decision") return `an item failed: ${outcome.value?.message ?? "empty"}`;
    const problem = staleness(outcome.value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The inspection of that name, for answers in protobuf or (`json`) in JSON. */
export function inspection(name: InspectName, json: boolean): Inspect {
  if (name === "nothing") return () => undefined;
  if (name === "fresh-batch") return wholeBatch;
  const judge = name === "fresh-allow" ? allowed : staleness;
  return json
    ? (answer) => judge(fromJsonString(DecideResponseSchema, Buffer.from(answer).toString("utf8")))
    : (answer) => judge(fromBinary(DecideResponseSchema, answer));
}
