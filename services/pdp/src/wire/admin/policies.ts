import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ActivatePoliciesRequest,
  type ActivatePoliciesResponse,
  ActivatePoliciesResponseSchema,
  type DeactivatePoliciesRequest,
  type DeactivatePoliciesResponse,
  DeactivatePoliciesResponseSchema,
  type GetPoliciesRequest,
  type GetPoliciesResponse,
  GetPoliciesResponseSchema,
  type ListPoliciesRequest,
  type ListPoliciesResponse,
  ListPoliciesResponseSchema,
  type PolicyChoice,
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
import { type Choice, revisionNumber, type ShownPolicy } from "../../decisions/index.ts";
import { canonical, type Json } from "../../foundation/canonical.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Activation, PolicyVersion } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { storedName } from "../convert/fields.ts";
import { problemToWire, sourceFrom } from "../convert/problem.ts";
import type { AdminDesk } from "./desk.ts";

const timeToWire = (ms: number | undefined) => (ms === undefined ? undefined : timestampFromMs(ms));

function activationToWire({ sinceMs, untilMs, cause, by, endedBy }: Activation) {
  const since = timeToWire(sinceMs);
  const until = timeToWire(untilMs);
  return {
    cause,
    ...(since && { since }),
    ...(until && { until }),
    ...(by && { by: { ...by } }),
    ...(endedBy && { endedBy: { ...endedBy } }),
  };
}

function versionToWire(one: PolicyVersion & { readonly created?: boolean }) {
  const { policy, version, digest, state, rules, publishedBy, validated } = one;
  return {
    ...{ policy, version, digest, state, rules, created: one.created ?? false },
    publishedAt: timestampFromMs(one.publishedAtMs),
    ...(publishedBy && { publishedBy: { ...publishedBy } }),
    ...(validated && { validatedAt: timestampFromMs(validated.atMs) }),
    ...(validated?.by && { validatedBy: { ...validated.by } }),
    activations: one.activations.map(activationToWire),
  };
}

const VERSION_MAX = 2 ** 31 - 1;

function versionField(version: number, field: string): number {
  if (version <= VERSION_MAX) return version;
  throw invalid(field, `${field} is no version`, { limit: `${VERSION_MAX}` });
}

function choicesFrom(choices: readonly PolicyChoice[], max: number): Choice[] {
  if (choices.length > max) {
    throw invalid("choices", `${choices.length} versions are named`, { limit: `${max} versions` });
  }
  return choices.map(({ policy, version }, at) => ({
    policy: storedName(policy, `choices[${at}].policy`, limits.nameBytesMax),
    version: versionField(version, `choices[${at}].version`),
  }));
}

/** Choices of which each policy has one. */
function singleChoices(choices: readonly PolicyChoice[], max: number): Choice[] {
  const found = choicesFrom(choices, max);
  const twice = found.find(({ policy }, at) => found.findIndex((other) => other.policy === policy) !== at);
  if (twice) throw invalid("choices", `${twice.policy} is chosen twice`, { fix: "choose one version of a policy" });
  return found;
}

const shownToWire = ({ version, document, source, problems }: ShownPolicy) => ({
  version: versionToWire(version),
  document: canonical(document as unknown as Json),
  source,
  problems: problems.map(problemToWire),
});

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

const expected = ({ expectedRevision }: { readonly expectedRevision: bigint }) =>
  expectedRevision === 0n ? undefined : expectedRevision;

export function policyRpcs(desk: AdminDesk): PolicyRpcs {
  const active = async (tenant: string) =>
    (await desk.policies.versions(tenant)).filter(({ state }) => state === "active").map(versionToWire);

  return {
    async publishPolicies(request, call) {
      const caller = await desk.caller(call, "policy-author");
      const files = request.files.map((file, at) => sourceFrom(file, `files[${at}]`));
      const { strict, dryRun, draft } = request;
      const { versions, problems } = await desk.lifecycle.publish(caller, files, { strict, dryRun, draft });
      return create(PublishPoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        problems: problems.map(problemToWire),
      });
    },
    async activatePolicies(request, call) {
      const caller = await desk.caller(call, "policy-approver");
      const choices = singleChoices(request.choices, Number.POSITIVE_INFINITY);
      const { revision, policyDigest } = await desk.lifecycle.activate(caller, choices, expected(request));
      return create(ActivatePoliciesResponseSchema, { active: await active(caller.tenant), revision, policyDigest });
    },
    async deactivatePolicies(request, call) {
      const caller = await desk.caller(call, "policy-approver");
      const names = request.policies.map((policy, at) => storedName(policy, `policies[${at}]`, limits.nameBytesMax));
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      if (twice) throw invalid("policies", `${twice} is named twice`);
      const { revision, policyDigest } = await desk.lifecycle.deactivate(caller, names, expected(request));
      return create(DeactivatePoliciesResponseSchema, { active: await active(caller.tenant), revision, policyDigest });
    },
    async validatePolicies(request, call) {
      const caller = await desk.caller(call, "policy-author");
      const choices = singleChoices(request.choices, limits.policyChoicesMax);
      const { versions, problems } = await desk.lifecycle.validate(caller, choices, request.strict);
      return create(ValidatePoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        problems: problems.map(problemToWire),
      });
    },
    async rollbackPolicies(request, call) {
      const caller = await desk.caller(call, "policy-approver");
      const choices = singleChoices(request.choices, limits.policyChoicesMax);
      const { revision, policyDigest } = await desk.lifecycle.rollback(caller, choices, expected(request));
      return create(RollbackPoliciesResponseSchema, { active: await active(caller.tenant), revision, policyDigest });
    },
    async listPolicies(_request, call) {
      const caller = await desk.caller(call, "viewer");
      const snapshot = await desk.snapshots.current(caller.tenant);
      const versions = await desk.policies.versions(caller.tenant);
      return create(ListPoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        revision: revisionNumber(snapshot.revisions),
        policyDigest: snapshot.policyDigest,
      });
    },
    async getPolicies(request, call) {
      const caller = await desk.caller(call, "viewer");
      // The revision first: what is read after it may be newer, and a change that expects it is refused then.
      const { revisions, policyDigest } = await desk.snapshots.current(caller.tenant);
      const policies = await desk.lifecycle.show(caller, choicesFrom(request.choices, limits.policyChoicesMax));
      return create(GetPoliciesResponseSchema, {
        ...{ policies: policies.map(shownToWire), revision: revisionNumber(revisions), policyDigest },
      });
    },
  };
}
