import { create } from "@bufbuild/protobuf";
import {
  type LiftRequest,
  type LiftResponse,
  LiftResponseSchema,
  type ListRevocationsRequest,
  type ListRevocationsResponse,
  ListRevocationsResponseSchema,
  type RevokeRequest,
  type RevokeResponse,
  RevokeResponseSchema,
} from "@remit/proto/revocation";
import { limits } from "../../foundation/limits.ts";
import type { Unary } from "../call.ts";
import { storedName, uuidField } from "../convert/fields.ts";
import { revocableFrom, revocationToWire } from "../convert/revocation.ts";
import type { AdminDesk } from "./desk.ts";

/** `RevocationService`. */
export interface RevocationRpcs {
  readonly revoke: Unary<RevokeRequest, RevokeResponse>;
  readonly lift: Unary<LiftRequest, LiftResponse>;
  readonly listRevocations: Unary<ListRevocationsRequest, ListRevocationsResponse>;
}

const reasonOf = (text: string) => storedName(text, "reason", limits.revocationReasonBytesMax);

export function revocationRpcs({ caller, revocations }: AdminDesk): RevocationRpcs {
  return {
    async revoke(request, call) {
      const by = caller(call);
      const subject = revocableFrom(request.subject);
      const { revocation, ...done } = await revocations.revoke(by, subject, reasonOf(request.reason));
      return create(RevokeResponseSchema, { revocation: revocationToWire(revocation), ...done });
    },
    async lift(request, call) {
      const by = caller(call);
      const id = uuidField(request.revocationId, "revocation_id");
      const { revocation, ...done } = await revocations.lift(by, id, reasonOf(request.reason));
      return create(LiftResponseSchema, { revocation: revocationToWire(revocation), ...done });
    },
    async listRevocations({ all, halts, pageSize, pageToken }, call) {
      const by = caller(call);
      const most = Math.min(pageSize || limits.revocationsListedMax, limits.revocationsListedMax);
      const before = pageToken === "" ? undefined : uuidField(pageToken, "page_token");
      // One more, to see whether there is another page.
      const found = await revocations.list(by, { all, halts, before, most: most + 1 });
      const page = found.slice(0, most);
      return create(ListRevocationsResponseSchema, {
        revocations: page.map(revocationToWire),
        nextPageToken: found.length > most ? (page.at(-1)?.id ?? "") : "",
      });
    },
  };
}
