import { create } from "@bufbuild/protobuf";
import {
  type DeleteBindingsRequest,
  type DeleteBindingsResponse,
  DeleteBindingsResponseSchema,
  type DeleteIssuersRequest,
  type DeleteIssuersResponse,
  DeleteIssuersResponseSchema,
  type ListBindingsRequest,
  type ListBindingsResponse,
  ListBindingsResponseSchema,
  type ListIssuersRequest,
  type ListIssuersResponse,
  ListIssuersResponseSchema,
  type PutBindingRequest,
  type PutBindingResponse,
  PutBindingResponseSchema,
  type PutIssuerRequest,
  type PutIssuerResponse,
  PutIssuerResponseSchema,
  type Binding as WireBinding,
} from "@remit/proto/admin";
import { invalid } from "../../foundation/fault.ts";
import { mapInSlices } from "../../foundation/in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { Binding } from "../../identities/index.ts";
import type { Unary } from "../call.ts";
import { boundedList, storedName, storedText } from "../convert/fields.ts";
import { issuerFrom, issuerToWire } from "../convert/issuer.ts";
import { rolesFrom } from "../convert/roles.ts";
import { CHANGES } from "./change.ts";
import type { AdminDesk } from "./desk.ts";
import { namedToken, pageAsked, pageOf } from "./pages.ts";

/** What `CallerService` has on whom a tenant believes. */
export interface TrustRpcs {
  readonly putIssuer: Unary<PutIssuerRequest, PutIssuerResponse>;
  readonly listIssuers: Unary<ListIssuersRequest, ListIssuersResponse>;
  readonly deleteIssuers: Unary<DeleteIssuersRequest, DeleteIssuersResponse>;
  readonly putBinding: Unary<PutBindingRequest, PutBindingResponse>;
  readonly listBindings: Unary<ListBindingsRequest, ListBindingsResponse>;
  readonly deleteBindings: Unary<DeleteBindingsRequest, DeleteBindingsResponse>;
}

function bindingFrom(wire: WireBinding): Binding {
  const agents = boundedList(wire.agents, "agents", limits.scopeEntriesMax);
  const may = (value: string, field: string) =>
    value === "" ? undefined : storedText(value, field, limits.subjectBytesMax);
  return {
    name: storedName(wire.name, "name", limits.nameBytesMax),
    issuer: storedName(wire.issuer, "issuer", limits.nameBytesMax),
    subject: may(wire.subject, "subject"),
    group: may(wire.group, "group"),
    agents: agents.map((glob, at) => storedName(glob, `agents[${at}]`, limits.nameBytesMax)),
    mayAssertPrincipals: wire.mayAssertPrincipals,
    roles: rolesFrom(wire.roles),
  };
}

function bindingToWire({ name, issuer, subject, group, agents, mayAssertPrincipals, roles }: Binding) {
  const match = { issuer, subject: subject ?? "", group: group ?? "" };
  return { name, ...match, agents: [...agents], mayAssertPrincipals, roles: [...roles] };
}

const nameOf = ({ name }: { readonly name: string }) => name;

const namesFrom = (names: readonly string[]) =>
  mapInSlices(boundedList(names, "names", limits.namesDeletedMax), turnOfTheLoop, (name) =>
    storedName(name, "names", limits.nameBytesMax),
  );

export function trustRpcs(desk: AdminDesk): TrustRpcs {
  const { believing } = desk;
  return {
    async putIssuer({ issuer, dryRun }, call) {
      const by = desk.caller(call);
      if (!issuer) throw invalid("issuer", "no issuer was sent", { fix: "send issuer" });
      const put = await believing.putIssuer(by, issuerFrom(by.tenant, issuer), dryRun);
      const { row, effect, revision } = put;
      return create(PutIssuerResponseSchema, { issuer: issuerToWire(row), change: CHANGES[effect], revision });
    },
    async listIssuers(request, call) {
      const { tenant } = desk.caller(call);
      const asked = pageAsked(request, namedToken);
      const rows = await desk.identityPages.issuers(tenant, asked.after, asked.most + 1);
      const { items: issuers, nextPageToken } = await pageOf(asked, rows, { token: nameOf, toWire: issuerToWire });
      return create(ListIssuersResponseSchema, { issuers, nextPageToken });
    },
    async deleteIssuers({ names, dryRun }, call) {
      const revision = await believing.remove(desk.caller(call), "issuer", await namesFrom(names), dryRun);
      return create(DeleteIssuersResponseSchema, { revision });
    },
    async putBinding({ binding, dryRun }, call) {
      const by = desk.caller(call);
      if (!binding) throw invalid("binding", "no binding was sent", { fix: "send binding" });
      const { row, effect, revision } = await believing.putBinding(by, bindingFrom(binding), dryRun);
      return create(PutBindingResponseSchema, { binding: bindingToWire(row), change: CHANGES[effect], revision });
    },
    async listBindings(request, call) {
      const { tenant } = desk.caller(call);
      const asked = pageAsked(request, namedToken);
      const rows = await desk.identityPages.bindings(tenant, asked.after, asked.most + 1);
      const { items: bindings, nextPageToken } = await pageOf(asked, rows, { token: nameOf, toWire: bindingToWire });
      return create(ListBindingsResponseSchema, { bindings, nextPageToken });
    },
    async deleteBindings({ names, dryRun }, call) {
      const revision = await believing.remove(desk.caller(call), "binding", await namesFrom(names), dryRun);
      return create(DeleteBindingsResponseSchema, { revision });
    },
  };
}
