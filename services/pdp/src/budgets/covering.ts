import { type BudgetDocument, type GlobIndex, indexGlobs, type RedactedPaths, redactedPaths } from "@remit/engine";
import { assert } from "../foundation/assert.ts";
import { canonical, type Json, type JsonObject } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import { eachInSlices, type Pause } from "../foundation/in-slices.ts";
import { valueAt } from "../foundation/value-at.ts";
import type { AccountName } from "./account.ts";

/** A session of the chain that a call comes from. */
export interface CoveredSession {
  readonly id: string;
  readonly agent: string;
}

/** What of a call says which budgets cover it. */
export interface CoveredCall {
  readonly tool: string;
  /** What runs: the input as it is after a policy has changed it. */
  readonly input: JsonObject;
  readonly principal: string;
  /** The session that asks. */
  readonly session: CoveredSession;
  /** The sessions above it, the root first. */
  readonly ancestors: readonly CoveredSession[];
  /** The label `team` of an agent. */
  readonly teamOf: (agent: string) => string | undefined;
  /** What stands in keys for a value that tools redact: equal for equal values. Only a covering that marks asks for it. */
  readonly mark?: (canonicalJson: string) => string;
}

/** A budget that covers a call, and the account that is charged. */
export interface Cover extends AccountName {
  readonly unit: string;
  readonly hard: boolean;
}

/** The budgets of a tenant, indexed by what they cover. Immutable: other budgets are another covering. */
export interface Covering {
  /** How many budgets it is made of. */
  readonly size: number;
  /** Whether any key has a mark in the place of a value. */
  readonly marks: boolean;
  /**
   * Every account that a call is charged to, the narrowest first. Costs no more with budgets that do not cover it. Where
   * there are more than `most`, all that counts is how many: those past it have no keys.
   */
  of(call: CoveredCall, most?: number): readonly Cover[];
  /** The account of one budget for a call, whoever's calls it covers; undefined where no such budget is declared. */
  named(budget: string, call: CoveredCall): Cover | undefined;
}

/** The longest key that stands as it is; of longer ones the digest does. */
const KEY_CHARS_MAX = 512;

interface Declared {
  readonly name: string;
  readonly unit: string;
  readonly hard: boolean;
  readonly owner: BudgetDocument["spec"]["owner"];
  readonly per: readonly string[];
  /** Paths of `per` whose values some tool redacts: keys hold marks of them. */
  readonly marked: ReadonlySet<string>;
  /** Each session has an account of its own. */
  readonly bySession: boolean;
  /** Of every call that it covers, where it has a single account: made once, and shared. */
  readonly cover: Cover | undefined;
}

function declaredBy({ metadata, spec }: BudgetDocument, redacted: RedactedPaths): Declared {
  const { per = [], unit } = spec;
  const hard = spec.enforcement === "hard";
  const bySession = spec.owner === "session" || spec.window === "session";
  return {
    ...{ name: metadata.name, unit, hard, owner: spec.owner, per, bySession },
    marked: new Set(per.filter(redacted.hide)),
    cover: per.length === 0 && !bySession ? { budget: metadata.name, key: "", unit, hard } : undefined,
  };
}

// A path that leads nowhere has no member: all calls without it share one account.
function keyedValues(
  { per }: Declared,
  marked: ReadonlySet<string>,
  call: CoveredCall,
): { readonly [name: string]: Json } {
  const values: Record<string, Json> = {};
  for (const path of per) {
    if (path === "principal") values.principal = call.principal;
    else if (path === "agent") values.agent = call.session.agent;
    else {
      const value = valueAt(call.input, path.slice("input.".length));
      if (value !== undefined) values[path] = marked.has(path) ? markOf(value, call) : value;
    }
  }
  return values;
}

function markOf(value: Json, { mark }: CoveredCall): string {
  assert(mark, "whoever asks brings what marks what is redacted");
  return mark(canonical(value));
}

function keyFor(
  budget: Declared,
  call: CoveredCall,
  session: CoveredSession | undefined,
  marked: ReadonlySet<string> = budget.marked,
): string {
  const { per } = budget;
  if (per.length === 0 && !session) return "";
  const text = canonical({
    ...(per.length > 0 && { per: keyedValues(budget, marked, call) }),
    ...(session && { session: session.id }),
  });
  return text.length > KEY_CHARS_MAX ? digest("budget-key", text) : text;
}

/** Of so many paths that are redacted each may have begun to be at another time; of more, all at once. */
const MARKED_APART_MAX = 4;

/** The keys of a call as they were when less of them was redacted: nothing, or any part of it. */
function keysBefore(budget: Declared, call: CoveredCall, session: CoveredSession | undefined, key: string): string[] {
  const paths = [...budget.marked];
  const count = paths.length <= MARKED_APART_MAX ? 2 ** paths.length - 1 : 1;
  const keys = Array.from({ length: count }, (_, chosen) =>
    keyFor(budget, call, session, new Set(paths.filter((_path, at) => (chosen >> at) % 2 === 1))),
  );
  return [...new Set(keys)].filter((one) => one !== key);
}

function coverOf(budget: Declared, call: CoveredCall, session?: CoveredSession): Cover {
  const key = keyFor(budget, call, session);
  const before = budget.marked.size === 0 ? [] : keysBefore(budget, call, session, key);
  return {
    ...{ budget: budget.name, key, unit: budget.unit, hard: budget.hard },
    ...(session && { session: session.id }),
    ...(before.length > 0 && { before }),
  };
}

const keylessCover = ({ name, unit, hard }: Declared): Cover => ({ budget: name, key: "", unit, hard });

/** Whether a session is one of those that a budget keeps an account for: of the agent or the team that owns it. */
function keeps({ owner }: Declared, { agent }: CoveredSession, { teamOf }: CoveredCall): boolean {
  if (typeof owner === "string") return true;
  if ("agent" in owner) return owner.agent === agent;
  if ("team" in owner) return owner.team === teamOf(agent);
  return true;
}

type Lists = Map<string, Declared[]>;

function addTo(lists: Lists, name: string, budget: Declared): void {
  const there = lists.get(name);
  if (there) there.push(budget);
  else lists.set(name, [budget]);
}

interface Index {
  readonly tenant: Declared[];
  readonly agent: Lists;
  readonly principal: Lists;
  readonly team: Lists;
  /** By glob. */
  readonly tool: Lists;
}

const newIndex = (): Index => ({
  ...{ tenant: [], agent: new Map(), principal: new Map(), team: new Map(), tool: new Map() },
});

function addToIndex(index: Index, budget: Declared): void {
  const { owner } = budget;
  if (owner === "tenant" || owner === "session") index.tenant.push(budget);
  else if ("agent" in owner) addTo(index.agent, owner.agent, budget);
  else if ("principal" in owner) addTo(index.principal, owner.principal, budget);
  else if ("team" in owner) addTo(index.team, owner.team, budget);
  else addTo(index.tool, owner.tool, budget);
}

interface ToolLists {
  readonly lists: readonly (readonly Declared[])[];
  readonly globs: GlobIndex;
}

function* globsOf(tool: Lists): Steps<ToolLists> {
  const steps = indexGlobs([...tool.keys()]);
  for (;;) {
    const step = steps.next();
    if (step.done) return { lists: [...tool.values()], globs: step.value };
    yield;
  }
}

/** Work in steps of some microseconds. */
type Steps<Made> = Generator<void, Made, undefined>;

const STEPS_AT_ONCE_MAX = 100;

function* coveringSteps(documents: Iterable<BudgetDocument>, redacted: RedactedPaths): Steps<Covering> {
  const byName = new Map<string, Declared>();
  const [wide, ofSessions] = [newIndex(), newIndex()];
  let marks = false;
  for (const document of documents) {
    const budget = declaredBy(document, redacted);
    byName.set(budget.name, budget);
    addToIndex(budget.bySession ? ofSessions : wide, budget);
    marks ||= budget.marked.size > 0;
    yield;
  }
  const tools = { wide: yield* globsOf(wide.tool), sessions: yield* globsOf(ofSessions.tool) };
  return coveringBy({ byName, wide, ofSessions, tools, marks });
}

/**
 * Indexes budgets by what they cover. A call is charged to every budget of its tool, of each session of its chain, of its
 * agent, its principal, its team and its tenant. A budget with an account for each session is charged once for every
 * session of the chain that it keeps one for, so that what was delegated counts above as well. `redacted`: the paths that
 * any tool redacts. What one of them hides is marked for all, or a customer would have other books with another tool.
 */
export function compileCovering(documents: Iterable<BudgetDocument>, redacted: Iterable<string> = []): Covering {
  const steps = coveringSteps(documents, redactedPaths(redacted));
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** The same in slices; awaits `pause` between them. */
export async function compileCoveringInSlices(
  documents: Iterable<BudgetDocument>,
  redacted: Iterable<string>,
  pause: Pause,
): Promise<Covering> {
  const paths = redactedPaths();
  await eachInSlices(redacted, pause, paths.add, STEPS_AT_ONCE_MAX);
  const steps = coveringSteps(documents, paths);
  for (let done = 1; ; done++) {
    const step = steps.next();
    if (step.done) return step.value;
    if (done % STEPS_AT_ONCE_MAX === 0) await pause();
  }
}

interface Compiled {
  readonly byName: ReadonlyMap<string, Declared>;
  readonly wide: Index;
  readonly ofSessions: Index;
  readonly tools: { readonly wide: ToolLists; readonly sessions: ToolLists };
  readonly marks: boolean;
}

function coveringBy({ byName, wide, ofSessions, tools, marks }: Compiled): Covering {
  const { wide: wideTools, sessions: sessionTools } = tools;

  const addSession = (found: Cover[], call: CoveredCall, session: CoveredSession, most: number) => {
    const add = (list: readonly Declared[] | undefined) => {
      for (const budget of list ?? []) {
        found.push(found.length > most ? keylessCover(budget) : coverOf(budget, call, session));
      }
    };
    for (const at of sessionTools.globs.fitting(call.tool)) add(sessionTools.lists[at]);
    add(ofSessions.agent.get(session.agent));
    add(ofSessions.principal.get(call.principal));
    const team = ofSessions.team.size === 0 ? undefined : call.teamOf(session.agent);
    if (team !== undefined) add(ofSessions.team.get(team));
    add(ofSessions.tenant);
  };

  /** Those that are kept by keys come before those that have a single account. */
  const addWide = (found: Cover[], call: CoveredCall, most: number) => {
    const single: Cover[] = [];
    const add = (list: readonly Declared[] | undefined) => {
      if (!list) return;
      for (const budget of list) {
        if (budget.cover) single.push(budget.cover);
        else found.push(found.length > most ? keylessCover(budget) : coverOf(budget, call));
      }
    };
    for (const at of wideTools.globs.fitting(call.tool)) add(wideTools.lists[at]);
    add(wide.agent.get(call.session.agent));
    add(wide.principal.get(call.principal));
    const team = wide.team.size === 0 ? undefined : call.teamOf(call.session.agent);
    if (team !== undefined) add(wide.team.get(team));
    add(wide.tenant);
    found.push(...single);
  };

  return {
    size: byName.size,
    marks,
    of(call, most = Number.POSITIVE_INFINITY) {
      const found: Cover[] = [];
      addSession(found, call, call.session, most);
      for (const above of call.ancestors.toReversed()) addSession(found, call, above, most);
      addWide(found, call, most);
      return found;
    },
    named(name, call) {
      const budget = byName.get(name);
      if (!budget) return undefined;
      if (!budget.bySession) return budget.cover ?? coverOf(budget, call);
      const chain = [call.session, ...call.ancestors.toReversed()];
      const session = chain.find((one) => keeps(budget, one, call)) ?? call.session;
      return coverOf(budget, call, session);
    },
  };
}
