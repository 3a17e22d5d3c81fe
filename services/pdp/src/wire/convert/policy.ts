import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PolicyChoice } from "@remit/proto/admin";
import type { Choice } from "../../decisions/index.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Activation, PolicyVersion, VersionPlace } from "../../policies/index.ts";
import { repeated, storedName } from "./fields.ts";

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

export function versionToWire(one: PolicyVersion & { readonly created?: boolean }) {
  const { policy, version, digest, state, language = "", rules, publishedBy, validated } = one;
  return {
    ...{ policy, version, digest, state, language, rules, created: one.created ?? false },
    publishedAt: timestampFromMs(one.publishedAtMs),
    ...(publishedBy && { publishedBy: { ...publishedBy } }),
    ...(validated && { validatedAt: timestampFromMs(validated.atMs) }),
    ...(validated?.by && { validatedBy: { ...validated.by } }),
    activations: one.activations.map(activationToWire),
  };
}

const VERSION_MAX = 2 ** 31 - 1;

/** Where a list of versions goes on, as its page before said. */
export const versionToken = ({ policy, version }: VersionPlace): string => `${policy}@${version}`;

const TOKEN = /^([^@]+)@([1-9][0-9]{0,9})$/;

const wrongToken = () =>
  invalid("page_token", "page_token is none that a page answered", { fix: "send it as answered" });

/** The place that a token means. */
export function versionPlace(token: string): VersionPlace {
  const [, policy = "", digits = "0"] = TOKEN.exec(token) ?? [];
  const version = Number(digits);
  if (version < 1 || version > VERSION_MAX) {
    throw wrongToken();
  }
  return { policy: storedName(policy, "page_token", limits.nameBytesMax), version };
}

/** How many choices the pages before were about, as a token says it. */
export function choicesBefore(token: string, choices: readonly Choice[]): number {
  const count = /^[1-9][0-9]{0,3}$/.test(token) ? Number(token) : 0;
  if (count < 1 || count >= choices.length) throw wrongToken();
  return count;
}

function versionField(version: number, field: string): number {
  if (version <= VERSION_MAX) return version;
  throw invalid(field, `${field} is no version`, { limit: `${VERSION_MAX}` });
}

export function choicesFrom(choices: readonly PolicyChoice[], max: number): Choice[] {
  if (choices.length > max) {
    throw invalid("choices", `${choices.length} versions are named`, { limit: `${max} versions` });
  }
  return choices.map(({ policy, version }, at) => ({
    policy: storedName(policy, `choices[${at}].policy`, limits.nameBytesMax),
    version: versionField(version, `choices[${at}].version`),
  }));
}

/** Choices of which each policy has one. */
export function singleChoices(choices: readonly PolicyChoice[], max: number): Choice[] {
  const found = choicesFrom(choices, max);
  const twice = repeated(found, ({ policy }) => policy);
  if (twice) throw invalid("choices", `${twice.policy} is chosen twice`, { fix: "choose one version of a policy" });
  return found;
}

/** The revision that a change expects; undefined when its caller does not say. */
export const expectedRevision = (request: { readonly expectedRevision: bigint }) =>
  request.expectedRevision === 0n ? undefined : request.expectedRevision;
