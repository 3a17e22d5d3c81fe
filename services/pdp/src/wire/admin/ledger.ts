import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type EntrySchema,
  type GetDecisionRequest,
  type GetDecisionResponse,
  GetDecisionResponseSchema,
  type ListDecisionsRequest,
  type ListDecisionsResponse,
  ListDecisionsResponseSchema,
} from "@remit/proto/admin";
import type { DecisionQuery } from "../../decisions/index.ts";
import { digestText } from "../../foundation/digest.ts";
import { Fault, invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { StoredRecord } from "../../ledger/index.ts";
import type { Unary } from "../call.ts";
import { effectFrom } from "../convert/answer.ts";
import { optionalText, timeField, uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

const text = new TextDecoder();

function entryToWire(record: StoredRecord): MessageInitShape<typeof EntrySchema> {
  const { id, kind, epoch, n, digest, body, aside, erased } = record;
  if (erased) return { id, kind, epoch, n, digest: digestText(digest), erased };
  const canonical = text.decode(body);
  // What stands beside the entry is shown in its place; the canonical text stays what was digested.
  const beside = aside ? (JSON.parse(text.decode(aside)) as JsonObject) : {};
  const whole = { ...(JSON.parse(canonical) as JsonObject), ...beside };
  return { id, kind, epoch, n, digest: digestText(digest), body: whole, canonical };
}

const DAY_MS = 24 * 3600 * 1000;

/** Checks the form of a query. Without `until` it reaches to the newest decision, whatever this machine's clock says. */
function queryFrom(request: ListDecisionsRequest, nowMs: number): DecisionQuery {
  const { since, until, agent, tool, sessionId, rolloutId, differs, pageSize, pageToken } = request;
  if (pageSize > limits.listPageRecordsMax) {
    const limit = `${limits.listPageRecordsMax} decisions`;
    throw invalid("page_size", `a page of ${pageSize} decisions is too long`, { limit });
  }
  const untilMs = until ? timeField(until, "until") : Number.POSITIVE_INFINITY;
  return {
    sinceMs: since ? timeField(since, "since") : Math.min(untilMs, nowMs) - DAY_MS,
    untilMs,
    agent: optionalText(agent, "agent", limits.nameBytesMax) || undefined,
    tool: optionalText(tool, "tool", limits.toolNameBytesMax) || undefined,
    effect: effectFrom(request.effect, "effect"),
    would: effectFrom(request.would, "would"),
    session: sessionId === "" ? undefined : uuidField(sessionId, "session_id"),
    rollout: rolloutId === "" ? undefined : uuidField(rolloutId, "rollout_id"),
    differs,
    beforeId: pageToken === "" ? undefined : uuidField(pageToken, "page_token"),
    pageSize: pageSize || limits.listPageRecordsMax,
  };
}

/** `LedgerService`. */
export interface LedgerRpcs {
  readonly getDecision: Unary<GetDecisionRequest, GetDecisionResponse>;
  readonly listDecisions: Unary<ListDecisionsRequest, ListDecisionsResponse>;
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
        decision: entryToWire(found),
        reports: reports.map(entryToWire),
      });
    },
    async listDecisions(request, call) {
      const { tenant } = desk.caller(call);
      const { records, nextBeforeId } = await desk.listDecisions(tenant, queryFrom(request, Date.now()));
      return create(ListDecisionsResponseSchema, {
        decisions: records.map((record) => ({ ...entryToWire(record), canonical: "" })),
        nextPageToken: nextBeforeId ?? "",
      });
    },
  };
}
