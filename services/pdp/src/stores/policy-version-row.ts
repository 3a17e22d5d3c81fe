import { digestText } from "../foundation/digest.ts";
import type { Activation, Maker, PolicyVersion, VersionState } from "../policies/index.ts";

/** As much of a version's history as is told with it. */
const ACTIVATIONS_TOLD_MAX = 16;

/** Of a version `v`: stored as a draft, and not found valid since. */
export const IS_DRAFT = "(v.draft and v.validated_at is null)";

/** What is read of a version `v`, joined with {@link VERSION_JOINS}. */
export const VERSION_COLUMNS = `v.policy, v.version, v.digest, v.language, v.rules, v.published_at, v.published_by,
  publisher.name as publisher, ${IS_DRAFT} as draft, v.validated_at, v.validated_by, validator.name as validator,
  coalesce(a.version = v.version, false) as active, past.activations`;

/** What a version's state and history are told by. */
export const VERSION_JOINS = `
  left join active_policy a on a.tenant = v.tenant and a.policy = v.policy
  left join caller publisher on publisher.id = v.published_by
  left join caller validator on validator.id = v.validated_by
  left join lateral (
    select jsonb_agg(jsonb_build_object('since', h.since, 'until', h.until, 'cause', h.cause, 'by', h.made_by,
             'byName', maker.name, 'endedBy', h.ended_by, 'endedByName', ender.name) order by h.id) as activations
      from (select * from policy_activation p
             where p.tenant = v.tenant and p.policy = v.policy and p.version = v.version
             order by p.id desc limit ${ACTIVATIONS_TOLD_MAX}) h
      left join caller maker on maker.tenant = h.tenant and maker.id = h.made_by
      left join caller ender on ender.tenant = h.tenant and ender.id = h.ended_by) past on true`;

interface ActivationRow {
  readonly since: string | null;
  readonly until: string | null;
  readonly cause: Activation["cause"];
  readonly by: string | null;
  readonly byName: string | null;
  readonly endedBy: string | null;
  readonly endedByName: string | null;
}

/** One row of {@link VERSION_COLUMNS}. */
export interface VersionRow {
  readonly policy: string;
  readonly version: number;
  readonly digest: Buffer;
  readonly language: PolicyVersion["language"] | null;
  readonly rules: number;
  readonly published_at: Date;
  readonly published_by: string | null;
  readonly publisher: string | null;
  readonly draft: boolean;
  readonly validated_at: Date | null;
  readonly validated_by: string | null;
  readonly validator: string | null;
  readonly active: boolean;
  readonly activations: readonly ActivationRow[] | null;
}

const makerFrom = (id: string | null, name: string | null): Maker | undefined =>
  id === null ? undefined : { id, name: name ?? "" };

function activationFrom({ since, until, cause, by, byName, endedBy, endedByName }: ActivationRow): Activation {
  return {
    sinceMs: since === null ? undefined : Date.parse(since),
    untilMs: until === null ? undefined : Date.parse(until),
    cause,
    by: makerFrom(by, byName),
    endedBy: makerFrom(endedBy, endedByName),
  };
}

function stateOf({ active, activations, draft }: VersionRow): VersionState {
  if (active) return "active";
  if (activations !== null) return "superseded";
  return draft ? "draft" : "validated";
}

export function versionFrom(row: VersionRow): PolicyVersion {
  const { policy, version, rules } = row;
  // Before languages were written down, those that have rules of their own were told by that.
  const language = row.language ?? (rules > 0 ? "native" : undefined);
  return {
    ...{ policy, version, language, rules, digest: digestText(row.digest), state: stateOf(row) },
    publishedAtMs: row.published_at.getTime(),
    publishedBy: makerFrom(row.published_by, row.publisher),
    validated:
      row.validated_at === null
        ? undefined
        : { atMs: row.validated_at.getTime(), by: makerFrom(row.validated_by, row.validator) },
    activations: (row.activations ?? []).map(activationFrom),
  };
}
