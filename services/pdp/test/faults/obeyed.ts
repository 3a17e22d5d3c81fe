import { allows, type Bar, type Change, placeOf, ruleOf, type State, SUSPENDED, sumOf, type Tool } from "./timeline.ts";

/** What a caller was told, and what was known when it asked. */
export interface Told {
  readonly decisionId: string;
  readonly epoch: bigint;
  readonly n: bigint;
  readonly allowed: boolean;
  readonly rules: readonly string[];
  readonly digest: string;
  readonly revision: bigint;
  readonly replayed: boolean;
  readonly member: number;
  readonly tool: Tool;
  /** What would stand in its way. */
  readonly against: readonly Bar[];
  /** Changes that were acknowledged when it was sent, and changes that had been asked for when it was answered. */
  readonly acknowledged: number;
  readonly begun: number;
  /** The highest revision that this member had told anybody by then. */
  readonly floor: bigint;
  /** Polls that the member had been answered by then. */
  readonly polls: number;
  /** What it was to be decided under, at least; 0: nothing was said. */
  readonly minRevision: bigint;
}

/** A decision as the ledger has it. */
export interface Entry {
  readonly epoch: bigint;
  readonly n: bigint;
  readonly allowed: boolean;
  readonly rules: readonly string[];
  readonly digest: string;
  readonly security: bigint;
  readonly policy: bigint;
}

export interface Evidence {
  /** The first is what was in force before anybody asked. */
  readonly changes: readonly Change[];
  readonly told: readonly Told[];
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  /** A change is obeyed once a member was answered this many polls after it was acknowledged. */
  readonly pollsMax: number;
}

export interface Findings {
  readonly wrong: readonly string[];
  /** The most polls after which a member still decided by what was before. */
  readonly pollsSeen: number;
}

const isBarred = ({ bars }: State, { against }: Told): boolean => against.some((bar) => bars.has(bar));

/** What must be answered under a state. */
function expected(state: State, told: Told): { readonly allowed: boolean; readonly rules: string } {
  const { version } = state;
  if (version === null || isBarred(state, told)) return { allowed: false, rules: "" };
  return { allowed: allows(version, told.tool), rules: ruleOf(version, told.tool) };
}

/** What the digest is of: one digest for one of these, and one of these for one digest. */
const digested = ({ version, bars }: State): string =>
  [version, ...[...bars].filter((bar) => bar.startsWith(SUSPENDED)).sort()].join(" ");

/** What was in force at some moment between asking and answering. */
const meanwhile = (changes: readonly Change[], { acknowledged, begun }: Told): readonly Change[] =>
  changes.slice(Math.max(0, acknowledged - 1), Math.max(begun, acknowledged));

/** A call that was allowed and asked again, which something stood in the way of by then: it is denied, as it is recorded. */
const withdrawn = (changes: readonly Change[], told: Told, entry: Entry): boolean =>
  told.replayed &&
  entry.allowed &&
  !told.allowed &&
  meanwhile(changes, told).some(({ after }) => isBarred(after, told));

function differences(changes: readonly Change[], told: Told, entry: Entry): string[] {
  const same = {
    number: told.epoch === entry.epoch && told.n === entry.n,
    effect: told.allowed === entry.allowed || withdrawn(changes, told, entry),
    rules: `${told.rules}` === `${entry.rules}`,
    digest: told.digest === entry.digest,
    revision: told.revision === sumOf(entry),
  };
  return Object.entries(same).flatMap(([name, equal]) => (equal ? [] : [name]));
}

/** Whether it was allowed although something was in its way from before it was asked until after it was answered. */
function allowedAgainst(changes: readonly Change[], told: Told): boolean {
  const states = meanwhile(changes, told);
  return told.allowed && states.length > 0 && states.every(({ after }) => isBarred(after, told));
}

/** What is wrong with a decision that was made for this very request, and did not stand before. */
function staleness({ changes, pollsMax }: Evidence, told: Told, entry: Entry): string[] {
  const found: string[] = [];
  const last = changes[told.acknowledged - 1];
  if (last && entry.security < last.security) {
    found.push(`was judged under security ${entry.security} after ${last.security} had been acknowledged`);
  }
  if (told.revision < told.floor) found.push(`names ${told.revision} after its member had named ${told.floor}`);
  const wanted = changes.find((change) => told.minRevision > 0n && sumOf(change) === told.minRevision);
  if (told.revision < told.minRevision || (wanted && entry.policy < wanted.policy)) {
    found.push(`is older than ${told.minRevision}, which it was to be decided under`);
  }
  const heard = changes.findLast(
    ({ polls }, at) => at < told.acknowledged && told.polls - (polls[told.member] ?? 0) >= pollsMax,
  );
  if (heard && entry.policy < heard.policy) {
    found.push(`was judged under policy ${entry.policy}, ${pollsMax} polls after ${heard.policy} (${heard.name})`);
  }
  return found;
}

/** What is wrong between what a decision says and what was in force at the revision that it names. */
function mixed(changes: readonly Change[], told: Told, entry: Entry, digests: Map<string, string>): string[] {
  const state = changes[placeOf(changes, entry)]?.after;
  if (!state) return [`names ${entry.security} and ${entry.policy}, which the tenant never had together`];
  const found: string[] = [];
  const must = expected(state, told);
  if (entry.allowed !== must.allowed || entry.rules.join(" ") !== must.rules) {
    const says = `${entry.allowed ? "allowed" : "denied"} by "${entry.rules.join(" ")}"`;
    found.push(`is ${says}, not as version ${state.version} with ${[...state.bars].join(", ") || "nothing barred"}`);
  }
  for (const [one, other] of [
    [`of ${digested(state)}`, told.digest],
    [told.digest, `of ${digested(state)}`],
  ] as const) {
    const before = digests.get(one);
    if (before !== undefined && before !== other) found.push(`has a digest of another revision's policies`);
    digests.set(one, before ?? other);
  }
  return found;
}

/** The most polls after which this decision still went by what was before a change. */
function lag(changes: readonly Change[], told: Told, entry: Entry): number {
  const missed = changes.find(({ policy }, at) => at < told.acknowledged && policy > entry.policy);
  return missed ? told.polls - (missed.polls[told.member] ?? 0) : 0;
}

/** Everything that is wrong with what was answered while things changed. */
export function auditObeyed(evidence: Evidence): Findings {
  const { changes, entries } = evidence;
  const wrong: string[] = [];
  const digests = new Map<string, string>();
  for (const { after, digest } of changes) {
    if (digest === undefined) continue;
    digests.set(`of ${digested(after)}`, digest);
    digests.set(digest, `of ${digested(after)}`);
  }
  let pollsSeen = 0;
  for (const told of evidence.told) {
    const [entry, ...others] = entries.get(told.decisionId) ?? [];
    const found: string[] = [];
    if (!entry) found.push("is not in the ledger");
    if (others.length > 0) found.push("is in the ledger more than once");
    if (allowedAgainst(changes, told)) found.push("was allowed against what had been acknowledged");
    if (entry) {
      const differing = differences(changes, told, entry);
      if (differing.length > 0) found.push(`differs from its entry: ${differing.join(", ")}`);
      found.push(...mixed(changes, told, entry, digests));
      if (!told.replayed) {
        found.push(...staleness(evidence, told, entry));
        pollsSeen = Math.max(pollsSeen, lag(changes, told, entry));
      }
    }
    wrong.push(...found.map((what) => `${told.decisionId} of member ${told.member} ${what}`));
  }
  return { wrong, pollsSeen };
}
