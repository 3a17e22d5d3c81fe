import { eachInSlices, type Pause } from "../foundation/in-slices.ts";
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
  /** At most `limits.haltsMax`, each under the name and the value of one of its labels. */
  readonly halts: ReadonlyMap<string, ReadonlyMap<string, readonly Selector[]>>;
  readonly haltsCount: number;
}

const NOTHING: Revoked = {
  some: false,
  ...{ agents: new Set(), sessions: new Set(), principals: new Set(), tools: new Set() },
  ...{ tenant: false, halts: new Map(), haltsCount: 0 },
};

/** The halts by labels, each to be found by the label of it that fewest others have: the rest are not even looked at. */
function haltsFrom(selectors: readonly Selector[]): Revoked["halts"] {
  const nameOf = ([name, value]: Selector[number]) => JSON.stringify([name, value]);
  const having = Map.groupBy(selectors.flat(), nameOf);
  const halts = new Map<string, Map<string, Selector[]>>();
  for (const selector of selectors) {
    const rarest = selector.reduce((best, label) => {
      const [few, many] = [having.get(nameOf(label)), having.get(nameOf(best))];
      return (few?.length ?? 0) < (many?.length ?? 0) ? label : best;
    });
    const [name, value] = rarest;
    const byValue = halts.get(name) ?? new Map<string, Selector[]>();
    halts.set(name, byValue.set(value, [...(byValue.get(value) ?? []), selector]));
  }
  return halts;
}

const setOf = { agent: "agents", session: "sessions", principal: "principals", tool: "tools" } as const;

/** Takes revocations one after another. */
function collecting() {
  const names = {
    ...{ agents: new Set<string>(), sessions: new Set<string>() },
    ...{ principals: new Set<string>(), tools: new Set<string>() },
  };
  const selectors: Selector[] = [];
  let some = false;
  let tenant = false;
  return {
    add({ kind, subject, labels }: Revocable): void {
      some = true;
      if (kind === "tenant") tenant = true;
      else if (kind !== "labels") names[setOf[kind]].add(subject);
      else if (Object.keys(labels).length > 0) selectors.push(Object.entries(labels));
    },
    revoked: (): Revoked =>
      some ? { some, ...names, tenant, halts: haltsFrom(selectors), haltsCount: selectors.length } : NOTHING,
  };
}

/** The living revocations of a tenant, ready to be looked at. */
export function revokedFrom(rows: readonly Revocable[]): Revoked {
  const { add, revoked } = collecting();
  for (const row of rows) add(row);
  return revoked();
}

/** The same in slices; between them it awaits `pause`. */
export async function revokedInSlices(rows: readonly Revocable[], pause: Pause): Promise<Revoked> {
  const { add, revoked } = collecting();
  await eachInSlices(rows, pause, add);
  return revoked();
}

function sameNames(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  if (some.size !== others.size) return false;
  for (const name of some) if (!others.has(name)) return false;
  return true;
}

/** Whether two say the same, as far as a glance tells: what is not sure is another. */
export function sameRevoked(some: Revoked, others: Revoked): boolean {
  if (!some.some && !others.some) return true;
  const sets = ["agents", "sessions", "principals", "tools"] as const;
  // Selectors are few, and hard to compare.
  if (some.tenant !== others.tenant || some.haltsCount + others.haltsCount > 0) return false;
  return sets.every((name) => sameNames(some[name], others[name]));
}

/** How much is revoked, and how much is halted. */
export function countRevoked(all: readonly Revoked[]): { readonly revocations: number; readonly halts: number } {
  const counts = all.map(({ agents, sessions, principals, tools, tenant, haltsCount }) => ({
    revocations: agents.size + sessions.size + principals.size + tools.size,
    halts: haltsCount + Number(tenant),
  }));
  const sum = (name: "revocations" | "halts") => counts.reduce((total, one) => total + one[name], 0);
  return { revocations: sum("revocations"), halts: sum("halts") };
}

const carries = (labels: MatchLabels, name: string, value: string) =>
  Object.hasOwn(labels, name) && labels[name] === value;

function carriesAll(selectors: readonly Selector[] | undefined, ofAgent: MatchLabels, ofSession: MatchLabels): boolean {
  if (selectors === undefined) return false;
  return selectors.some((selector) =>
    selector.every(([name, value]) => carries(ofAgent, name, value) || carries(ofSession, name, value)),
  );
}

/**
 * Whether a halt is of whoever carries these labels. A label counts where either carries it: what a session says of
 * itself hides nothing that its agent is.
 */
export function isHalted({ halts, tenant }: Revoked, ofAgent: MatchLabels, ofSession: MatchLabels): boolean {
  if (tenant) return true;
  for (const [name, byValue] of halts) {
    const found = (labels: MatchLabels) => (Object.hasOwn(labels, name) ? byValue.get(labels[name] ?? "") : undefined);
    if (carriesAll(found(ofAgent), ofAgent, ofSession) || carriesAll(found(ofSession), ofAgent, ofSession)) return true;
  }
  return false;
}
