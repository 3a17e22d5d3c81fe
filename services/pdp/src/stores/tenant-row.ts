import {
  type BreakerDefaults,
  type MatchLabels,
  quotasFrom,
  type Tenant,
  type TenantMode,
  type TenantSettings,
  type TenantStatus,
  type Unbudgeted,
} from "../policies/index.ts";

export interface TenantRow {
  readonly id: string;
  readonly status: TenantStatus;
  readonly mode: TenantMode;
  readonly observe_agents: readonly MatchLabels[];
  readonly quotas: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly people: number;
  readonly workload_prefixes: readonly string[];
  readonly unbudgeted: Unbudgeted;
  readonly breakers: BreakerDefaults;
}

export const TENANT_COLUMNS =
  "id, status, mode, observe_agents, quotas, created_at, people, workload_prefixes, unbudgeted, breakers";

/** What a row says. A tenant without a row may do nothing. */
export function settingsFrom(row: TenantRow | undefined): TenantSettings {
  if (!row) {
    return {
      status: "suspended",
      mode: "enforce",
      observeAgents: [],
      quotas: {},
      unbudgeted: "deny",
      breakers: "enforce",
    };
  }
  const { status, mode, observe_agents: observeAgents, quotas, unbudgeted, breakers } = row;
  return { status, mode, observeAgents, quotas: quotasFrom(quotas), unbudgeted, breakers };
}

export function tenantFrom(row: TenantRow): Tenant {
  const { id, created_at: createdAt, people, workload_prefixes: workloadPrefixes } = row;
  return { ...settingsFrom(row), id, createdAtMs: createdAt.getTime(), people, workloadPrefixes };
}
