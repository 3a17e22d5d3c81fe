import { assert } from "../foundation/assert.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import { type StoredRecord, tenantErased } from "../ledger/index.ts";
import type { Decision, DecisionBody } from "./decision.ts";

const text = new TextDecoder();

/** The body of a record as an object. Throws a Fault when its tenant was erased. */
export function bodyOf(record: StoredRecord): JsonObject {
  if (record.erased) throw tenantErased();
  return JSON.parse(text.decode(record.body)) as JsonObject;
}

type StoredBody = DecisionBody & {
  readonly transformed_input?: JsonObject;
  readonly answers?: JsonObject;
  readonly caller: { readonly id: string };
  readonly call: { readonly id: string };
  readonly tool: string;
};

/** The decision that a record holds. */
export function storedDecision(record: StoredRecord): Decision {
  assert(record.kind === "decision", `record ${record.id} is a ${record.kind}, not a decision`);
  const body = bodyOf(record) as unknown as StoredBody;
  const beside = record.aside ? (JSON.parse(text.decode(record.aside)) as { transformed_input?: JsonObject }) : {};
  return {
    body,
    record: { epoch: record.epoch, n: record.n },
    transformedInput: body.transformed_input ?? beside.transformed_input,
    answers: body.answers ?? {},
    askedBy: body.caller.id,
    callId: body.call.id,
    tool: body.tool,
    replayed: true,
  };
}
