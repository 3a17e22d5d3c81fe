import { create } from "@bufbuild/protobuf";
import {
  type CreateTenantRequest,
  type CreateTenantResponse,
  CreateTenantResponseSchema,
  type GetTenantRequest,
  type GetTenantResponse,
  GetTenantResponseSchema,
  type ListTenantsRequest,
  type ListTenantsResponse,
  ListTenantsResponseSchema,
  type UpdateTenantRequest,
  type UpdateTenantResponse,
  UpdateTenantResponseSchema,
} from "@remit/proto/tenant";
import { limits } from "../../foundation/limits.ts";
import type { Unary } from "../call.ts";
import { storedName, storedText } from "../convert/fields.ts";
import { newTenantId, quotasFromWire, settingsFromWire, tenantToWire } from "../convert/tenant.ts";
import type { AdminDesk } from "./desk.ts";
import { namedToken, pageAsked, pageOf } from "./pages.ts";

/** `TenantService`. What it takes depends on whose tenant it is, too: `decisions/tenants.ts` asks. */
export interface TenantRpcs {
  readonly getTenant: Unary<GetTenantRequest, GetTenantResponse>;
  readonly listTenants: Unary<ListTenantsRequest, ListTenantsResponse>;
  readonly createTenant: Unary<CreateTenantRequest, CreateTenantResponse>;
  readonly updateTenant: Unary<UpdateTenantRequest, UpdateTenantResponse>;
}

export function tenantRpcs({ caller, tenants }: AdminDesk): TenantRpcs {
  const idFrom = (tenant: string) => storedText(tenant, "tenant", limits.nameBytesMax);
  return {
    async getTenant(request, call) {
      const tenant = await tenants.get(caller(call), idFrom(request.tenant));
      return create(GetTenantResponseSchema, { tenant: tenantToWire(tenant) });
    },
    async listTenants(request) {
      const asked = pageAsked(request, namedToken);
      const { items, nextPageToken } = await pageOf(asked, await tenants.list(asked.after, asked.most + 1), {
        token: ({ id }) => id,
        toWire: tenantToWire,
      });
      return create(ListTenantsResponseSchema, { tenants: items, nextPageToken });
    },
    async createTenant(request, call) {
      const by = caller(call);
      const { tenant, owner, key } = await tenants.create(by, {
        id: newTenantId(request.tenant),
        ownerName: storedName(request.ownerName || "owner", "owner_name", limits.nameBytesMax),
        quotas: quotasFromWire(request.quotas),
      });
      return create(CreateTenantResponseSchema, { tenant: tenantToWire(tenant), ownerId: owner.id, ownerKey: key });
    },
    async updateTenant(request, call) {
      const by = caller(call);
      const { tenant, revision } = await tenants.update(by, idFrom(request.tenant), settingsFromWire(request));
      return create(UpdateTenantResponseSchema, { tenant: tenantToWire(tenant), revision });
    },
  };
}
