import { create } from "@bufbuild/protobuf";
import {
  type ActivatePoliciesRequest,
  type ActivatePoliciesResponse,
  ActivatePoliciesResponseSchema,
  type DeactivatePoliciesRequest,
  type DeactivatePoliciesResponse,
  DeactivatePoliciesResponseSchema,
  type GetPoliciesRequest,
  type GetPoliciesResponse,
  type ListPoliciesRequest,
  type ListPoliciesResponse,
  ListPoliciesResponseSchema,
  type PublishPoliciesRequest,
  type PublishPoliciesResponse,
  PublishPoliciesResponseSchema,
  type RollbackPoliciesRequest,
  type RollbackPoliciesResponse,
  RollbackPoliciesResponseSchema,
  type ValidatePoliciesRequest,
  type ValidatePoliciesResponse,
  ValidatePoliciesResponseSchema,
} from "@remit/proto/admin";
import { revisionNumber } from "../../decisions/index.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { PolicyVersion } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { repeated, storedName } from "../convert/fields.ts";
import { expectedRevision, singleChoices, versionPlace, versionToken, versionToWire } from "../convert/policy.ts";
import { problemsToWire, sourceFrom } from "../convert/problem.ts";
import type { AdminDesk } from "./desk.ts";
import { pageAsked, pageOf } from "./pages.ts";
import { policiesWhole } from "./whole-policies.ts";

/** `PolicyService`. */
export interface PolicyRpcs {
  readonly publishPolicies: Unary<PublishPoliciesRequest, PublishPoliciesResponse>;
  readonly activatePolicies: Unary<ActivatePoliciesRequest, ActivatePoliciesResponse>;
  readonly deactivatePolicies: Unary<DeactivatePoliciesRequest, DeactivatePoliciesResponse>;
  readonly listPolicies: Unary<ListPoliciesRequest, ListPoliciesResponse>;
  readonly validatePolicies: Unary<ValidatePoliciesRequest, ValidatePoliciesResponse>;
  readonly rollbackPolicies: Unary<RollbackPoliciesRequest, RollbackPoliciesResponse>;
  readonly getPolicies: Unary<GetPoliciesRequest, GetPoliciesResponse>;
}

/** What is in force, as much as one answer holds: what was named before the others, all by name. */
function toldInForce({ policies }: Pick<AdminDesk, "policies">) {
  const by = { token: versionToken, toWire: (one: PolicyVersion) => versionToWire(one) };
  return async (tenant: string, named: readonly { readonly policy: string }[]) => {
    const all = await policies.versionsInForce(tenant);
    const names = new Set(named.map(({ policy }) => policy));
    const isNamed = ({ policy }: PolicyVersion) => names.has(policy);
    const rows = [...all.filter(isNamed), ...all.filter((one) => !isNamed(one))];
    const { items } = await pageOf({ most: limits.registeredListedMax, whole: false }, rows, by);
    const told = new Map(items.map((item) => [item.policy, item]));
    return {
      active: all.flatMap(({ policy }) => told.get(policy) ?? []),
      activeMore: all.length - items.length,
    };
  };
}

export function policyRpcs(desk: AdminDesk): PolicyRpcs {
  const inForce = toldInForce(desk);
  return {
    async publishPolicies(request, call) {
      const caller = desk.caller(call);
      const files = request.files.map((file, at) => sourceFrom(file, `files[${at}]`));
      const { strict, dryRun, draft } = request;
      const { versions, problems } = await desk.lifecycle.publish(caller, files, { strict, dryRun, draft });
      return create(PublishPoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        problems: await problemsToWire(problems),
      });
    },
    async activatePolicies(request, call) {
      const caller = desk.caller(call);
      const choices = singleChoices(request.choices, Number.POSITIVE_INFINITY);
      const { revision, policyDigest } = await desk.lifecycle.activate(caller, choices, expectedRevision(request));
      const told = await inForce(caller.tenant, choices);
      return create(ActivatePoliciesResponseSchema, { ...told, revision, policyDigest });
    },
    async deactivatePolicies(request, call) {
      const caller = desk.caller(call);
      const names = request.policies.map((policy, at) => storedName(policy, `policies[${at}]`, limits.nameBytesMax));
      const twice = repeated(names, (name) => name);
      if (twice !== undefined) throw invalid("policies", `${twice} is named twice`);
      const { revision, policyDigest } = await desk.lifecycle.deactivate(caller, names, expectedRevision(request));
      const told = await inForce(caller.tenant, []);
      return create(DeactivatePoliciesResponseSchema, { ...told, revision, policyDigest });
    },
    async validatePolicies(request, call) {
      const caller = desk.caller(call);
      const choices = singleChoices(request.choices, limits.policyChoicesMax);
      const { versions, problems } = await desk.lifecycle.validate(caller, choices, request.strict);
      return create(ValidatePoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        problems: await problemsToWire(problems),
      });
    },
    async rollbackPolicies(request, call) {
      const caller = desk.caller(call);
      const choices = singleChoices(request.choices, limits.policyChoicesMax);
      const { revision, policyDigest } = await desk.lifecycle.rollback(caller, choices, expectedRevision(request));
      const told = await inForce(caller.tenant, choices);
      return create(RollbackPoliciesResponseSchema, { ...told, revision, policyDigest });
    },
    async listPolicies(request, call) {
      const { tenant } = desk.caller(call);
      const asked = pageAsked(request, versionPlace);
      // The revision first, as below.
      const { revisions, policyDigest } = await desk.snapshots.current(tenant);
      const rows = await desk.policies.versionsAfter(tenant, asked.after, asked.most + 1);
      const by = { token: versionToken, toWire: (one: PolicyVersion) => versionToWire(one) };
      const { items: versions, nextPageToken } = await pageOf(asked, rows, by);
      const revision = revisionNumber(revisions);
      return create(ListPoliciesResponseSchema, { versions, revision, policyDigest, nextPageToken });
    },
    getPolicies: policiesWhole(desk),
  };
}
