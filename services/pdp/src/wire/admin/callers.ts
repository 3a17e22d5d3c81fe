import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CreateKeyRequest,
  type CreateKeyResponse,
  CreateKeyResponseSchema,
  type ListCallersRequest,
  type ListCallersResponse,
  ListCallersResponseSchema,
  type RevokeKeyRequest,
  type RevokeKeyResponse,
  RevokeKeyResponseSchema,
} from "@remit/proto/admin";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { type Caller, hasRole } from "../../identities/index.ts";
import type { Unary } from "../call.ts";
import { boundedList, storedName, uuidField } from "../convert/fields.ts";
import { rolesFrom } from "../convert/roles.ts";
import type { AdminDesk } from "./desk.ts";
import { pageAsked, pageOf } from "./pages.ts";

/** A caller as others see it; `shown` where they may see who a person is. */
function callerToWire(caller: Caller, shown = false) {
  const { id, name, roles, agents, mayAssertPrincipals, createdAtMs, revoked, proof, person, createdBy = "" } = caller;
  const { kind = "key", issuer = "", subject = "" } = proof ?? {};
  const rights = { roles: [...roles], agents: [...agents], mayAssertPrincipals };
  const who = { id, name, kind, issuer, subject, ...(shown && person) };
  return { ...who, ...rights, revoked, createdAt: timestampFromMs(createdAtMs), createdBy };
}

function keyHashFrom(hash: Uint8Array): Uint8Array {
  if (hash.length === 32) return hash;
  throw invalid("key_hash", `the hash is ${hash.length} bytes long`, {
    limit: "32 bytes",
    fix: "send the SHA-256 of remit/api-key/v1, a line break and the key",
  });
}

/** `CallerService`. */
export interface CallerRpcs {
  readonly createKey: Unary<CreateKeyRequest, CreateKeyResponse>;
  readonly listCallers: Unary<ListCallersRequest, ListCallersResponse>;
  readonly revokeKey: Unary<RevokeKeyRequest, RevokeKeyResponse>;
}

export function callerRpcs(desk: AdminDesk): CallerRpcs {
  return {
    async createKey(request, call) {
      const by = desk.caller(call);
      const agents = boundedList(request.agents, "agents", limits.scopeEntriesMax);
      const { caller, key } = await desk.keys.create(by, {
        name: storedName(request.name, "name", limits.nameBytesMax),
        roles: rolesFrom(request.roles),
        agents: agents.map((glob, at) => storedName(glob, `agents[${at}]`, limits.nameBytesMax)),
        mayAssertPrincipals: request.mayAssertPrincipals,
        ...(request.keyHash.length > 0 && { keyHash: keyHashFrom(request.keyHash) }),
      });
      return create(CreateKeyResponseSchema, { caller: callerToWire(caller), key });
    },
    async listCallers(request, call) {
      const by = desk.caller(call);
      const shown = hasRole(by, "owner");
      const asked = pageAsked(request, (token) => uuidField(token, "page_token"));
      const rows = await desk.identityPages.callers(by.tenant, asked.after, asked.most + 1);
      const { items: callers, nextPageToken } = await pageOf(asked, rows, {
        token: ({ id }) => id,
        toWire: (one) => callerToWire(one, shown),
      });
      return create(ListCallersResponseSchema, { callers, nextPageToken });
    },
    async revokeKey(request, call) {
      const by = desk.caller(call);
      const { caller, revision } = await desk.keys.revoke(by, uuidField(request.callerId, "caller_id"));
      return create(RevokeKeyResponseSchema, { caller: callerToWire(caller), revision });
    },
  };
}
