import { Fault } from "../foundation/fault.ts";

export type TenantStatus = "active" | "suspended" | "closing";
export type TenantMode = "enforce" | "observe";
/** Whether a call may cost something in a unit that no budget covers. */
export type Unbudgeted = "deny" | "allow";
/** What the limits of breakers do that no document names. */
export type BreakerDefaults = "enforce" | "observe" | "off";

/** How much a tenant may; what is not named has the service's own limit, if there is one. Rates are of one replica. */
export const QUOTAS = [
  "decisionsPerSecond",
  "callerDecisionsPerSecond",
  "sessionsPerSecond",
  "sessionsOpen",
  "tools",
  "agents",
  "rules",
  "delegationDepth",
] as const;
export type QuotaName = (typeof QUOTAS)[number];
export type Quotas = Readonly<Partial<Record<QuotaName, number>>>;

/** Labels by name; an agent that carries all of them is meant. */
export type MatchLabels = Readonly<Record<string, string>>;

/** What a tenant is set to: a part of its snapshot, so it changes for all calls at one revision. */
export interface TenantSettings {
  readonly status: TenantStatus;
  readonly mode: TenantMode;
  /** Agents that are observed while the tenant is enforced. */
  readonly observeAgents: readonly MatchLabels[];
  readonly quotas: Quotas;
  readonly unbudgeted: Unbudgeted;
  /** Absent: they are enforced. */
  readonly breakers?: BreakerDefaults;
}

/** A tenant as its administrators see it. */
export interface Tenant extends TenantSettings {
  readonly id: string;
  readonly createdAtMs: number;
  /** How many people what widens authority takes. */
  readonly people: number;
  /** What the SPIFFE ids of its workloads begin with. */
  readonly workloadPrefixes: readonly string[];
}

/** What may be set of a tenant. */
export type TenantChanges = Partial<TenantSettings & Pick<Tenant, "people" | "workloadPrefixes">>;

/** Quotas as they are stored: names that this build does not know are left out; what is no count allows nothing. */
export function quotasFrom(stored: Readonly<Record<string, unknown>>): Quotas {
  const known = QUOTAS.flatMap((name) => {
    const value = stored[name];
    if (value === undefined) return [];
    return [[name, Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : 0] as const];
  });
  return Object.fromEntries(known);
}

/** Why a tenant that is not active is refused what it asked for. */
export function tenantNotActive(status: Exclude<TenantStatus, "active">): Fault {
  return new Fault("precondition", `tenant_${status}`, `this tenant is ${status}`, {
    fix: "ask who runs this service to make the tenant active again",
  });
}

const quotaWords: Readonly<Record<QuotaName, string>> = {
  decisionsPerSecond: "decisions a second",
  callerDecisionsPerSecond: "decisions a second of one caller",
  sessionsPerSecond: "sessions opened a second",
  sessionsOpen: "open sessions",
  tools: "tools",
  agents: "agents",
  rules: "rules of active policies",
  delegationDepth: "delegations below a session",
};

const passing: ReadonlySet<QuotaName> = new Set([
  "decisionsPerSecond",
  "callerDecisionsPerSecond",
  "sessionsPerSecond",
]);

/** What whoever asks past a quota is told. A rate is over in a moment; a count is not. */
export function quotaExceeded(name: QuotaName, max: number): Fault {
  const what = quotaWords[name];
  return new Fault("exhausted", "quota_exceeded", `the tenant may have no more than ${max} ${what}`, {
    limit: `${max} ${what}`,
    fix: passing.has(name)
      ? "ask more slowly, or ask who runs this service for a higher quota"
      : "remove some that are not needed, or ask who runs this service for a higher quota",
    retryable: passing.has(name),
  });
}
