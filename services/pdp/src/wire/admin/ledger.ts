import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type EntrySchema,
  type GetDecisionRequest,
  type GetDecisionResponse,
  GetDecisionResponseSchema,
  type ListAdminCallsRequest,
  type ListAdminCallsResponse,
  ListAdminCallsResponseSchema,
  type ListDecisionsRequest,
  type ListDecisionsResponse,
  ListDecisionsResponseSchema,
} from "@remit/proto/admin";
import { type AdminCallQuery, type DecisionQuery, wholeEntries } from "../../decisions/index.ts";
import { digestText } from "../../foundation/digest.ts";
import { Fault, invalid } from "../../foundation/fault.ts";
import { parseJsonInSlices } from "../../foundation/json-in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { ListedRecord, StoredRecord } from "../../ledger/index.ts";
import type { Unary } from "../call.ts";
import { effectFrom } from "../convert/answer.ts";
import { optionalText, timeField, uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

const text = new TextDecoder();

const parsed = async (json: string) => (await parseJsonInSlices(json, turnOfTheLoop)) as JsonObject;

async function entryToWire(record: StoredRecord): Promise<MessageInitShape<typeof EntrySchema>> {
  const { id, kind, epoch, n, digest, body, aside, erased } = record;
  if (erased) return { id, kind, epoch, n, digest: digestText(digest), erased };
  const canonical = text.decode(body);
  // What stands beside the entry is shown in its place; the canonical text stays what was digested.
  const beside = aside ? await parsed(text.decode(aside)) : {};
  const whole = { ...(await parsed(canonical)), ...beside };
  return { id, kind, epoch, n, digest: digestText(digest), body: whole, canonical };
}

/** Entries that may be long, each in a turn of its own. */
async function entriesToWire(records: Iterable<StoredRecord> | AsyncIterable<StoredRecord>) {
  const entries: MessageInitShape<typeof EntrySchema>[] = [];
  for await (const record of records) {
    entries.push(await entryToWire(record));
    await turnOfTheLoop();
  }
  return entries;
}

/** The same for a list, which tells no canonical texts. */
const listToWire = async ({ ledger }: AdminDesk, tenant: string, records: readonly ListedRecord[]) =>
  (await entriesToWire(wholeEntries(ledger, tenant, records))).map((entry) => ({ ...entry, canonical: "" }));

const DAY_MS = 24 * 3600 * 1000;

/** What pages of entries have in common, whichever they list. */
interface Paged {
  readonly since?: Timestamp | undefined;
  readonly until?: Timestamp | undefined;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Checks which page is asked for. Without `until` it reaches to the newest entry, whatever this machine's clock says. */
function pageFrom({ since, until, pageSize, pageToken }: Paged, nowMs: number, entries: string) {
  if (pageSize > limits.listPageRecordsMax) {
    const limit = `${limits.listPageRecordsMax} ${entries}`;
    throw invalid("page_size", `a page of ${pageSize} ${entries} is too long`, { limit });
  }
  const untilMs = until ? timeField(until, "until") : Number.POSITIVE_INFINITY;
  return {
    sinceMs: since ? timeField(since, "since") : Math.min(untilMs, nowMs) - DAY_MS,
    untilMs,
    beforeId: pageToken === "" ? undefined : uuidField(pageToken, "page_token"),
    pageSize: pageSize || limits.listPageRecordsMax,
  };
}

function queryFrom(request: ListDecisionsRequest, nowMs: number): DecisionQuery {
  const { agent, tool, sessionId, rolloutId, differs } = request;
  return {
    ...pageFrom(request, nowMs, "decisions"),
    agent: optionalText(agent, "agent", limits.nameBytesMax) || undefined,
    tool: optionalText(tool, "tool", limits.toolNameBytesMax) || undefined,
    effect: effectFrom(request.effect, "effect"),
    would: effectFrom(request.would, "would"),
    session: sessionId === "" ? undefined : uuidField(sessionId, "session_id"),
    rollout: rolloutId === "" ? undefined : uuidField(rolloutId, "rollout_id"),
    differs,
  };
}

function callQueryFrom(request: ListAdminCallsRequest, nowMs: number): AdminCallQuery {
  const { method, callerId, outcome, changesOnly } = request;
  return {
    ...pageFrom(request, nowMs, "calls"),
    method: optionalText(method, "method", limits.nameBytesMax) || undefined,
    caller: callerId === "" ? undefined : uuidField(callerId, "caller_id"),
    outcome: optionalText(outcome, "outcome", limits.nameBytesMax) || undefined,
    changesOnly,
  };
}

/** `LedgerService`. */
export interface LedgerRpcs {
  readonly getDecision: Unary<GetDecisionRequest, GetDecisionResponse>;
  readonly listDecisions: Unary<ListDecisionsRequest, ListDecisionsResponse>;
  readonly listAdminCalls: Unary<ListAdminCallsRequest, ListAdminCallsResponse>;
}

export function ledgerRpcs(desk: AdminDesk): LedgerRpcs {
  return {
    async getDecision(request, call) {
      const { tenant } = desk.caller(call);
      const found = await desk.ledger.findById(tenant, uuidField(request.decisionId, "decision_id"));
      if (found?.kind !== "decision") {
        throw new Fault("missing", "decision_unknown", "there is no such decision", { field: "decision_id" });
      }
      const reports = await desk.ledger.findBySubject(tenant, found.id);
      return create(GetDecisionResponseSchema, {
        decision: await entryToWire(found),
        reports: await entriesToWire(reports),
      });
    },
    async listDecisions(request, call) {
      const { tenant } = desk.caller(call);
      const { records, nextBeforeId } = await desk.listDecisions(tenant, queryFrom(request, Date.now()));
      return create(ListDecisionsResponseSchema, {
        decisions: await listToWire(desk, tenant, records),
        nextPageToken: nextBeforeId ?? "",
      });
    },
    async listAdminCalls(request, call) {
      const { tenant } = desk.caller(call);
      const { records, nextBeforeId } = await desk.listAdminCalls(tenant, callQueryFrom(request, Date.now()));
      return create(ListAdminCallsResponseSchema, {
        calls: await listToWire(desk, tenant, records),
        nextPageToken: nextBeforeId ?? "",
      });
    },
  };
}
