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
} from "@remit/proto/admin";
import { type Choice, revisionNumber, storedPolicies } from "../../decisions/index.ts";
import { canonical, type Json } from "../../foundation/canonical.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { PolicyVersion, StoredPolicy } from "../../policies/index.ts";
import type { Unary } from "../call.ts";
import { storedName } from "../convert/fields.ts";
import { problemToWire, sourceFrom } from "../convert/problem.ts";
import type { AdminDesk } from "./desk.ts";

function versionToWire({ publishedAtMs, ...version }: PolicyVersion & { readonly created?: boolean }) {
  return { ...version, created: version.created ?? false, publishedAt: timestampFromMs(publishedAtMs) };
}

const VERSION_MAX = 2 ** 31 - 1;

function versionField(version: number, field: string): number {
  if (version <= VERSION_MAX) return version;
  throw invalid(field, `${field} is no version`, { limit: `${VERSION_MAX}` });
}

const choicesFrom = (choices: readonly PolicyChoice[]): Choice[] =>
  choices.map(({ policy, version }, at) => ({
    policy: storedName(policy, `choices[${at}].policy`, limits.nameBytesMax),
    version: versionField(version, `choices[${at}].version`),
  }));

const storedToWire = ({ version, document, source }: StoredPolicy) => ({
  version: versionToWire(version),
  document: canonical(document as unknown as Json),
  source,
});

/** `PolicyService`. */
export interface PolicyRpcs {
  readonly publishPolicies: Unary<PublishPoliciesRequest, PublishPoliciesResponse>;
  readonly activatePolicies: Unary<ActivatePoliciesRequest, ActivatePoliciesResponse>;
  readonly deactivatePolicies: Unary<DeactivatePoliciesRequest, DeactivatePoliciesResponse>;
  readonly listPolicies: Unary<ListPoliciesRequest, ListPoliciesResponse>;
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
      const { versions, problems } = await desk.lifecycle.publish(caller, files, request.strict, request.dryRun);
      return create(PublishPoliciesResponseSchema, {
        versions: versions.map(versionToWire),
        problems: problems.map(problemToWire),
      });
    },
    async activatePolicies(request, call) {
      const caller = await desk.caller(call, "policy-approver");
      const choices = choicesFrom(request.choices);
      const twice = choices.find(({ policy }, at) => choices.findIndex((other) => other.policy === policy) !== at);
      if (twice) throw invalid("choices", `${twice.policy} is chosen twice`, { fix: "choose one version of a policy" });
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
      const { length } = request.choices;
      if (length > limits.policyChoicesMax) {
        throw invalid("choices", `${length} versions are asked for`, { limit: `${limits.policyChoicesMax} versions` });
      }
      // The revision first: what is read after it may be newer, and a change that expects it is refused then.
      const { revisions, policyDigest } = await desk.snapshots.current(caller.tenant);
      const policies = await storedPolicies(desk.policies, caller.tenant, choicesFrom(request.choices));
      return create(GetPoliciesResponseSchema, {
        ...{ policies: policies.map(storedToWire), revision: revisionNumber(revisions), policyDigest },
      });
    },
  };
}
