import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type EnableSealingRequest,
  type EnableSealingResponse,
  EnableSealingResponseSchema,
  type EraseTenantRequest,
  type EraseTenantResponse,
  EraseTenantResponseSchema,
  type ListSigningKeysRequest,
  type ListSigningKeysResponse,
  ListSigningKeysResponseSchema,
  type RewrapKeysRequest,
  type RewrapKeysResponse,
  RewrapKeysResponseSchema,
  type RotateSigningKeyRequest,
  type RotateSigningKeyResponse,
  RotateSigningKeyResponseSchema,
} from "@remit/proto/keys";
import type { ListedSigningKey } from "../../decisions/index.ts";
import { limits } from "../../foundation/limits.ts";
import type { Unary } from "../call.ts";
import { storedName } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

/** `KeyService`. */
export interface KeyRpcs {
  readonly listSigningKeys: Unary<ListSigningKeysRequest, ListSigningKeysResponse>;
  readonly rotateSigningKey: Unary<RotateSigningKeyRequest, RotateSigningKeyResponse>;
  readonly rewrapKeys: Unary<RewrapKeysRequest, RewrapKeysResponse>;
  readonly enableSealing: Unary<EnableSealingRequest, EnableSealingResponse>;
  readonly eraseTenant: Unary<EraseTenantRequest, EraseTenantResponse>;
}

function keyToWire({ kid, wrappedBy, createdAtMs, retiredAtMs }: ListedSigningKey, newest: boolean) {
  const createdAt = timestampFromMs(createdAtMs);
  if (retiredAtMs !== null) return { kid, state: "retired", createdAt, retiredAt: timestampFromMs(retiredAtMs) };
  return { kid, state: newest ? "signing" : "verifying", createdAt, wrappedBy };
}

export function keyRpcs({ caller, custody }: AdminDesk): KeyRpcs {
  return {
    async listSigningKeys() {
      const keys = await custody.signingKeys();
      const newest = keys.find(({ retiredAtMs }) => retiredAtMs === null);
      return create(ListSigningKeysResponseSchema, { keys: keys.map((key) => keyToWire(key, key === newest)) });
    },
    async rotateSigningKey(request, call) {
      const { kid, retired } = await custody.rotate(caller(call), request.retireNow);
      return create(RotateSigningKeyResponseSchema, { kid, retired: [...retired] });
    },
    async rewrapKeys(_request, call) {
      const { signing, data, more } = await custody.rewrap(caller(call));
      return create(RewrapKeysResponseSchema, { signingKeys: signing, dataKeys: data, more });
    },
    async enableSealing(_request, call) {
      await custody.enableSealing(caller(call));
      return create(EnableSealingResponseSchema);
    },
    async eraseTenant(request, call) {
      const by = caller(call);
      const tenant = storedName(request.tenant, "tenant", limits.nameBytesMax);
      return create(EraseTenantResponseSchema, await custody.erase(by, tenant, request.confirm));
    },
  };
}
