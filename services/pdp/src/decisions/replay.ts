import { assert } from "../foundation/assert.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import { parseJsonInSlices } from "../foundation/json-in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { type StoredRecord, tenantErased } from "../ledger/index.ts";
import type { Decision, DecisionBody } from "./decision.ts";

const text = new TextDecoder();

type Bodied = Pick<StoredRecord, "body" | "erased">;

/** The body of a short record, such as a report, as an object. Throws a Fault when its tenant was erased. */
export function bodyOf({ body, erased }: Bodied): JsonObject {
  if (erased) throw tenantErased();
  return JSON.parse(text.decode(body)) as JsonObject;
}

/** A body that is parsed in one piece: in a tenth of a millisecond or two. */
const PARSED_AT_ONCE_MAX = 32 * 1024;

const parsed = async (bytes: Uint8Array) => (await parseJsonInSlices(text.decode(bytes), turnOfTheLoop)) as JsonObject;

/** The same of a decision, or a change, which may be megabytes: its scopes alone may. Such a one is parsed in slices. */
export function longBodyOf(record: Bodied): JsonObject | Promise<JsonObject> {
  if (record.body.byteLength <= PARSED_AT_ONCE_MAX || record.erased) return bodyOf(record);
  return parsed(record.body);
}

/** What `read` finds in such a body: at once where it is short. */
export function fromLongBody<Found>(record: Bodied, read: (body: JsonObject) => Found): Found | Promise<Found> {
  const body = longBodyOf(record);
  return body instanceof Promise ? body.then(read) : read(body);
}

type StoredBody = DecisionBody & {
  readonly transformed_input?: JsonObject;
  readonly answers?: JsonObject;
  readonly caller: { readonly id: string };
  readonly call: { readonly id: string };
  readonly tool: string;
};

/** The decision that a record holds. */
export async function storedDecision(record: StoredRecord): Promise<Decision> {
  assert(record.kind === "decision", `record ${record.id} is a ${record.kind}, not a decision`);
  const body = (await longBodyOf(record)) as unknown as StoredBody;
  const beside: { transformed_input?: JsonObject } = record.aside ? await parsed(record.aside) : {};
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
