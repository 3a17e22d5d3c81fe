import type { MatchLabels } from "./settings.ts";

/** What can be revoked. `labels` and `tenant` are halts: of all that carries some labels, and of everything. */
type RevocableKind = "agent" | "session" | "principal" | "tool" | "labels" | "tenant";

/** What one revocation is of. */
export interface Revocable {
  readonly kind: RevocableKind;
  /** A name or an id; of labels their digest; of a tenant nothing. */
  readonly subject: string;
  /** Of a halt by labels; else none. */
  readonly labels: MatchLabels;
}

/** The labels of a halt, ready to be compared. */
type Selector = readonly (readonly [name: string, value: string])[];

/** Everything that is revoked in a tenant at one revision. Looked at before any policy, for every decision. */
export interface Revoked {
  /** Whether there is anything: most tenants have nothing revoked at most times. */
  readonly some: boolean;
  readonly agents: ReadonlySet<string>;
  readonly sessions: ReadonlySet<string>;
  readonly principals: ReadonlySet<string>;
  readonly tools: ReadonlySet<string>;
  readonly tenant: boolean;
  /** At most `limits.haltsMax`. */
  readonly selectors: readonly Selector[];
}

const NOTHING: Revoked = {
  some: false,
  ...{ agents: new Set(), sessions: new Set(), principals: new Set(), tools: new Set() },
  ...{ tenant: false, selectors: [] },
};

/** The living revocations of a tenant, ready to be looked at. */
export function revokedFrom(rows: readonly Revocable[]): Revoked {
  if (rows.length === 0) return NOTHING;
  const of = (kind: RevocableKind) => new Set(rows.filter((row) => row.kind === kind).map(({ subject }) => subject));
  return {
    some: true,
    ...{ agents: of("agent"), sessions: of("session"), principals: of("principal"), tools: of("tool") },
    tenant: rows.some(({ kind }) => kind === "tenant"),
    selectors: rows.filter(({ kind }) => kind === "labels").map(({ labels }) => Object.entries(labels)),
  };
}

const sameNames = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
  some.size === others.size && [...some].every((name) => others.has(name));

/** Whether two say the same, as far as a glance tells: what is not sure is another. */
export function sameRevoked(some: Revoked, others: Revoked): boolean {
  if (!some.some && !others.some) return true;
  const sets = ["agents", "sessions", "principals", "tools"] as const;
  // Selectors are few, and hard to compare.
  if (some.tenant !== others.tenant || some.selectors.length + others.selectors.length > 0) return false;
  return sets.every((name) => sameNames(some[name], others[name]));
}

/** How much is revoked, and how much is halted. */
export function countRevoked(all: readonly Revoked[]): { readonly revocations: number; readonly halts: number } {
  const counts = all.map(({ agents, sessions, principals, tools, tenant, selectors }) => ({
    revocations: agents.size + sessions.size + principals.size + tools.size,
    halts: selectors.length + Number(tenant),
  }));
  const sum = (name: "revocations" | "halts") => counts.reduce((total, one) => total + one[name], 0);
  return { revocations: sum("revocations"), halts: sum("halts") };
}

/**
 * Whether a halt is of whoever carries these labels. A label counts where either carries it: what a session says of
 * itself hides nothing that its agent is.
 */
export function isHalted({ selectors, tenant }: Revoked, ofAgent: MatchLabels, ofSession: MatchLabels): boolean {
  if (tenant) return true;
  for (const selector of selectors) {
    let carriesAll = true;
    for (const [name, value] of selector) {
      if (Object.hasOwn(ofAgent, name) && ofAgent[name] === value) continue;
      if (Object.hasOwn(ofSession, name) && ofSession[name] === value) continue;
      carriesAll = false;
      break;
    }
    if (carriesAll) return true;
  }
  return false;
}
