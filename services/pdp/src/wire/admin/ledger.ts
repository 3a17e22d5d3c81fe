import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type EntrySchema,
  type GetDecisionRequest,
  type GetDecisionResponse,
  GetDecisionResponseSchema,
} from "@remit/proto/admin";
import { digestText } from "../../foundation/digest.ts";
import { Fault } from "../../foundation/fault.ts";
import type { StoredRecord } from "../../ledger/index.ts";
import type { Unary } from "../call.ts";
import { uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

const text = new TextDecoder();

function entryToWire(record: StoredRecord): MessageInitShape<typeof EntrySchema> {
  const { id, kind, epoch, n, digest, body, aside } = record;
  const canonical = text.decode(body);
  // What stands beside the entry is shown in its place; the canonical text stays what was digested.
  const beside = aside ? (JSON.parse(text.decode(aside)) as JsonObject) : {};
  const whole = { ...(JSON.parse(canonical) as JsonObject), ...beside };
  return { id, kind, epoch, n, digest: digestText(digest), body: whole, canonical };
}

/** `LedgerService`. */
export interface LedgerRpcs {
  readonly getDecision: Unary<GetDecisionRequest, GetDecisionResponse>;
}

export function ledgerRpcs(desk: AdminDesk): LedgerRpcs {
  return {
    async getDecision(request, call) {
      const { tenant } = await desk.caller(call, "viewer");
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
  };
}
