import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AgentSelectors,
  BreakerDefaults,
  TenantMode,
  type TenantSchema,
  TenantStatus,
  TenantUnbudgeted,
  type UpdateTenantRequest,
  type Quotas as WireQuotas,
} from "@remit/proto/tenant";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { quoted } from "../../foundation/quoted.ts";
import { spiffePrefixProblem } from "../../foundation/spiffe-id.ts";
import {
  type BreakerDefaults as Defaults,
  type MatchLabels,
  type TenantMode as Mode,
  QUOTAS,
  type Quotas,
  type TenantStatus as Status,
  type Tenant,
  type TenantChanges,
  type Unbudgeted,
} from "../../policies/index.ts";
import { boundedList, labelsField } from "./fields.ts";

const STATUSES: Readonly<Record<Status, TenantStatus>> = {
  active: TenantStatus.ACTIVE,
  suspended: TenantStatus.SUSPENDED,
  closing: TenantStatus.CLOSING,
};

const UNBUDGETED: Readonly<Record<Unbudgeted, TenantUnbudgeted>> = {
  deny: TenantUnbudgeted.DENY,
  allow: TenantUnbudgeted.ALLOW,
};

const MODES: Readonly<Record<Mode, TenantMode>> = { enforce: TenantMode.ENFORCE, observe: TenantMode.OBSERVE };

const BREAKERS: Readonly<Record<Defaults, BreakerDefaults>> = {
  enforce: BreakerDefaults.ENFORCE,
  observe: BreakerDefaults.OBSERVE,
  off: BreakerDefaults.OFF,
};

export function tenantToWire(tenant: Tenant): MessageInitShape<typeof TenantSchema> {
  const { id, status, mode, observeAgents, quotas, createdAtMs, people, workloadPrefixes, unbudgeted, breakers } =
    tenant;
  return {
    id,
    status: STATUSES[status],
    mode: MODES[mode],
    observeAgents: observeAgents.map((matchLabels) => ({ matchLabels: { ...matchLabels } })),
    quotas: { ...quotas },
    createdAt: timestampFromMs(createdAtMs),
    people,
    workloadPrefixes: [...workloadPrefixes],
    unbudgeted: UNBUDGETED[unbudgeted],
    breakers: BREAKERS[breakers ?? "enforce"],
  };
}

/** The word for a number of the wire. */
function wordFrom<Word extends string>(words: Readonly<Record<Word, number>>, value: number, field: string): Word {
  const known = (Object.keys(words) as Word[]).find((word) => words[word] === value);
  if (known) return known;
  throw invalid(field, `there is no ${field} ${value}`, { fix: `choose from ${Object.keys(words).join(", ")}` });
}

export function quotasFromWire(quotas: WireQuotas | undefined): Quotas {
  const given = QUOTAS.flatMap((name) => {
    const value = quotas?.[name];
    if (name === "delegationDepth" && value !== undefined && value > limits.delegationDepthMax) {
      throw invalid("quotas.delegation_depth", `${value} delegations are too many`, {
        limit: `${limits.delegationDepthMax}`,
      });
    }
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function selectorsFrom({ selectors }: AgentSelectors): MatchLabels[] {
  return boundedList(selectors, "observe_agents", limits.observeSelectorsMax).map(({ matchLabels }, at) => {
    const field = `observe_agents[${at}].match_labels`;
    if (Object.keys(matchLabels).length === 0) {
      throw invalid(field, "a selector without labels would select every agent", {
        fix: "name labels; to observe every agent set the tenant's mode",
      });
    }
    return { ...labelsField(matchLabels, field) };
  });
}

function peopleFrom(people: number): number {
  if (people >= 1 && people <= limits.peopleMax) return people;
  throw invalid("people", `${people} people cannot be asked for`, { limit: `1 to ${limits.peopleMax} people` });
}

function prefixesFrom(prefixes: readonly string[]): string[] {
  const each = boundedList(prefixes, "workload_prefixes", limits.workloadPrefixesMax);
  for (const [at, prefix] of each.entries()) {
    const problem = spiffePrefixProblem(prefix);
    if (problem === undefined) continue;
    const fix = "write spiffe://TRUST-DOMAIN, or with the beginning of a path: spiffe://example.org/ns/acme";
    throw invalid(`workload_prefixes.prefixes[${at}]`, `${quoted(prefix)} ${problem}`, { fix });
  }
  return [...new Set(each)];
}

/** What a request asks to change. */
export function settingsFromWire(request: UpdateTenantRequest): TenantChanges {
  const { status, mode, observeAgents, quotas, people, workloadPrefixes, unbudgeted, breakers } = request;
  const set: TenantChanges = {
    ...(status !== undefined && { status: wordFrom(STATUSES, status, "status") }),
    ...(mode !== undefined && { mode: wordFrom(MODES, mode, "mode") }),
    ...(observeAgents && { observeAgents: selectorsFrom(observeAgents) }),
    ...(quotas && { quotas: quotasFromWire(quotas) }),
    ...(people !== undefined && { people: peopleFrom(people) }),
    ...(unbudgeted !== undefined && { unbudgeted: wordFrom(UNBUDGETED, unbudgeted, "unbudgeted") }),
    ...(workloadPrefixes && { workloadPrefixes: prefixesFrom(workloadPrefixes.prefixes) }),
    ...(breakers !== undefined && { breakers: wordFrom(BREAKERS, breakers, "breakers") }),
  };
  if (Object.keys(set).length > 0) return set;
  throw invalid("tenant", "the request changes nothing", {
    fix: "send status, mode, observe_agents, quotas, people, workload_prefixes, unbudgeted or breakers",
  });
}

const TENANT_ID = /^[a-z][a-z0-9-]{0,62}$/;

/** The id of a tenant that is to be made. */
export function newTenantId(id: string): string {
  if (TENANT_ID.test(id)) return id;
  throw invalid("tenant", "this is no id for a tenant", {
    limit: "63 characters",
    fix: "use lower-case letters, digits and hyphens, a letter first",
  });
}
