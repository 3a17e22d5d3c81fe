import {
  type AgentDocument,
  type BudgetDocument,
  type CedarRead,
  type CedarTexts,
  type Compiled,
  compileInSlices,
  engineVersion,
  type GroupDocument,
  type Problem,
  type Scope,
  type ToolDocument,
} from "@remit/engine";
import { assert } from "../foundation/assert.ts";
import { canonical, type Json } from "../foundation/canonical.ts";
import { digestInSlices } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import { eachInSlices, mapInSlices, type Pause, sortedInSlices } from "../foundation/in-slices.ts";
import { createNameIndex, type Named } from "../foundation/name-index.ts";
import { buildRollout } from "./build-rollout.ts";
import { lastGood } from "./last-good.ts";
import type { ActivePolicy, Fingerprint, Registered, Revisions, TenantRows } from "./policy-store.ts";
import { type Revoked, revokedInSlices } from "./revoked.ts";
import type { Rollout } from "./rollout.ts";
import { schemaDigest } from "./schema-digest.ts";
import type { TenantSettings } from "./settings.ts";

/** A tenant's settings, policies, tools and agents at one revision. Immutable: a change is another snapshot. */
export interface Snapshot {
  readonly tenant: string;
  readonly revisions: Revisions;
  /**
   * Where its policies are those of before: the newest revisions that are in force here whole. Absent: `revisions` are.
   * A sum of both counters names one state of the tenant only where they were read together.
   */
  readonly whole?: Revisions;
  /** Of the rows that it was made of. */
  readonly fingerprint?: Fingerprint | undefined;
  /** The version of the engine that decides at these revisions; undefined: any. */
  readonly engine?: string | undefined;
  readonly settings: TenantSettings;
  readonly compiled: Compiled;
  /** Of the active policies and the tools they judge: what a replay needs. `sha256:<hex>` */
  readonly policyDigest: string;
  /** There may be far more of them than of anything else. */
  readonly agents: Named<AgentDocument>;
  readonly tools: ReadonlyMap<string, Registered<ToolDocument>>;
  readonly budgets: ReadonlyMap<string, Registered<BudgetDocument>>;
  readonly groups: ReadonlyMap<string, Registered<GroupDocument>>;
  /** Of the groups that have one, by the ids of their members. */
  readonly ceilings: Named<readonly Scope[]>;
  readonly policies: readonly ActivePolicy[];
  readonly revoked: Revoked;
  /** Why the newest rows did not compile. The last good policies are still in force, if this process has any. */
  readonly broken?: readonly Problem[];
  /** False when it has none: nothing may be decided by this snapshot, and its `compiled` allows nothing. */
  readonly usable: boolean;
  /** Versions that are tried beside those in force. */
  readonly rollout?: Rollout;
}

/** The newest revision that a snapshot has reached with all that belongs to it, as `min_revision` counts. */
export function revisionReached({ revisions, whole = revisions }: Pick<Snapshot, "revisions" | "whole">): bigint {
  return whole.security + whole.policy;
}

export type { Pause };

/** What was compiled of some documents. */
export type Prepared = Pick<Snapshot, "compiled" | "tools" | "policies" | "policyDigest">;

/** What the compiler knows of before. */
type Known = Pick<Snapshot, "compiled" | "tools" | "policies">;

const digestedAtOnceMax = 200;

function* listed(texts: readonly string[]): Generator<string> {
  for (const [at, text] of texts.entries()) yield at === 0 ? text : `,${text}`;
}

/** Of `{"policies":[...],"tools":[...]}` in canonical JSON, which is put together here piece by piece. */
async function setDigest(rows: Compilable, pause: Pause): Promise<string> {
  const sorted = async <Row>(list: readonly Row[], named: (row: Row) => Json) =>
    sortedInSlices(await mapInSlices(list, pause, (row) => canonical(named(row)), digestedAtOnceMax), pause);
  const policies = await sorted(rows.policies, ({ document, version, digest: text }) => ({
    ...{ policy: document.metadata.name, version, digest: text },
  }));
  const tools = await sorted(rows.tools, ({ document, digest: text }) => ({
    ...{ tool: document.metadata.name, digest: text },
  }));
  function* parts(): Generator<string> {
    yield '{"policies":[';
    yield* listed(policies);
    yield '],"tools":[';
    yield* listed(tools);
    yield "]}";
  }
  return digestInSlices("policy-set", parts(), pause);
}

/** Whether two lists hold the same versions of the same policies. */
export async function sameDocuments(
  some: readonly ActivePolicy[],
  others: readonly ActivePolicy[],
  pause: Pause,
): Promise<boolean> {
  if (some.length !== others.length) return false;
  const known = await byName(some, pause);
  const same = await mapInSlices(others, pause, (row) => {
    const there = isNamed(row) ? known.get(row.document.metadata.name) : undefined;
    return there?.version === row.version && there.digest === row.digest;
  });
  return !same.includes(false);
}

/** What a row that cannot even be read is called: its text is for an administrator, not for a caller. */
function unreadable(error: unknown): Problem {
  const message = `a stored document cannot be read: ${error instanceof Error ? error.message : "unknown"}`;
  return { file: "", line: 0, column: 0, severity: "error", code: "document_unreadable", message };
}

type Parts = Pick<Snapshot, "compiled" | "tools" | "policies" | "policyDigest">;

type Compilable = Pick<TenantRows, "policies" | "tools">;

/** The rows with the very documents of `last` where they are the same: what was compiled of those is used again. */
async function withKnown(rows: Compilable, last: Known | undefined, pause: Pause): Promise<Compilable> {
  if (!last) return rows;
  const policies = await byName(last.policies, pause);
  return {
    policies: await mapInSlices(rows.policies, pause, (row) => {
      const known = policies.get(row.document.metadata.name);
      return known?.digest === row.digest && known.version === row.version ? known : row;
    }),
    tools: await mapInSlices(rows.tools, pause, (row) => {
      const known = last.tools.get(row.document.metadata.name);
      return known?.digest === row.digest ? known : row;
    }),
  };
}

interface Dated extends Registered<{ readonly metadata: { readonly name: string } }> {
  readonly version?: number;
}

const isSame = (one: Dated, other: Dated | undefined): boolean =>
  one.digest === other?.digest &&
  one.version === other.version &&
  one.document?.metadata?.name === other.document.metadata.name;

const sameRows = (some: readonly Dated[], others: readonly Dated[]): boolean =>
  some.length === others.length && some.every((one, at) => isSame(one, others[at]));

/**
 * What was compiled of the very same documents, in the same order: whatever else changed, nothing is compiled, and a tenant of
 * many rules is as quick as any other to obey a revocation.
 */
function asCompiled(rows: Compilable, base: Prepared | undefined): Parts | undefined {
  if (!base || !sameRows(rows.policies, base.policies) || !sameRows(rows.tools, [...base.tools.values()])) {
    return undefined;
  }
  const { compiled, tools, policies, policyDigest } = base;
  return { compiled, tools, policies, policyDigest };
}

/** What compiling does by itself, and what it has done elsewhere. */
export interface Compiling {
  readonly pause: Pause;
  /** Between slices of compiling, whose results stay in use; absent: `pause`. It may take longer, so nothing else waits for it. */
  readonly compilePause?: Pause | undefined;
  /** Reads a policy in Cedar elsewhere; absent: it is read here. */
  readonly readCedar?: ((texts: CedarTexts) => Promise<CedarRead>) | undefined;
}

async function compileRows(
  loaded: Compilable,
  { pause, compilePause = pause, readCedar }: Compiling,
  last?: Known,
): Promise<Parts | readonly Problem[]> {
  try {
    const rows = await withKnown(loaded, last, pause);
    const documents = await mapInSlices(rows.tools, pause, ({ document }) => document);
    const source = { policies: rows.policies, tools: documents, schemaDigest };
    const { compiled, problems } = await compileInSlices(source, { last: last?.compiled, readCedar }, compilePause);
    if (!compiled) return problems;
    const policyDigest = await setDigest(rows, compilePause);
    return { compiled, tools: await byName(rows.tools, compilePause), policies: rows.policies, policyDigest };
  } catch (error) {
    return [unreadable(error)];
  }
}

/** The policies in the order in which a store answers them: by the bytes of their names, which are ASCII. */
async function asStored(policies: readonly ActivePolicy[], pause: Pause): Promise<readonly ActivePolicy[]> {
  const named = await byName(policies, pause);
  const names = await sortedInSlices([...named.keys()], pause);
  return mapInSlices(names, pause, (name) => {
    const policy = named.get(name);
    assert(policy, "it was sorted from these");
    return policy;
  });
}

/**
 * Compiles documents that may be put in force next, as a load would: in the order of the store, since rules are numbered
 * by their place, and what was compiled in another order is of no use to the load after the change.
 */
export async function prepare(
  rows: Compilable,
  last: Snapshot,
  compiling: Compiling,
): Promise<Prepared | { readonly problems: readonly Problem[] }> {
  const policies = await asStored(rows.policies, compiling.pause);
  const parts = await compileRows({ policies, tools: rows.tools }, compiling, last);
  return "compiled" in parts ? parts : { problems: parts };
}

const isNamed = ({ document }: Registered<{ readonly metadata?: { readonly name?: unknown } }>) =>
  typeof document?.metadata?.name === "string";

async function byName<Row extends Registered<{ readonly metadata: { readonly name: string } }>>(
  rows: readonly Row[],
  pause: Pause,
): Promise<ReadonlyMap<string, Row>> {
  const named = new Map<string, Row>();
  await eachInSlices(rows, pause, (row) => isNamed(row) && named.set(row.document.metadata.name, row));
  return named;
}

/** What is in force when nothing ever compiled here: no policy, and what its administrators need to mend that. */
async function nothingInForce(rows: TenantRows, pause: Pause): Promise<Parts> {
  const parts = await compileRows({ policies: [], tools: [] }, { pause });
  assert("compiled" in parts, "no policies always compile");
  return { ...parts, tools: await byName(rows.tools, pause), policies: rows.policies.filter(isNamed) };
}

interface Building extends Compiling {
  /** What was compiled of these rows already, where that is not `last`. */
  readonly base?: Prepared | undefined;
}

/**
 * Compiles a tenant's rows, in slices. Rows that do not compile leave the policies of `last` in force, under the new
 * revisions and settings and with the new agents, but for policies that are out of force and tools that are suspended or
 * gone: what was taken is taken, whatever became of a policy.
 * Without a `last`, after a restart, nothing is decided until they are mended.
 */
export async function buildSnapshot(
  tenant: string,
  rows: TenantRows,
  last: Snapshot | undefined,
  building: Building,
): Promise<Snapshot> {
  const active = await buildActive(tenant, rows, last, building);
  if (!rows.rollout) return active;
  const compileTried = (tried: Compilable, known: Known) => compileRows(tried, building, known);
  return { ...active, rollout: await buildRollout(rows.rollout, active, last?.rollout, compileTried) };
}

/** The ceiling of one group alone: the list of all members that no other group limits, of whom there may be a million. */
type Lone = readonly [Scope];

function* membersOf(groups: Iterable<Registered<GroupDocument>>): Iterable<readonly [member: string, Lone]> {
  for (const { document } of groups) {
    const { ceiling, members } = document.spec;
    if (!ceiling) continue;
    const lone: Lone = [ceiling];
    for (const member of members) yield [member, lone];
  }
}

/** Whoever is limited by several has a list of their own, of two at least. */
const isLone = (ceilings: Lone | Scope[]): ceilings is Lone => ceilings.length === 1;

/**
 * The groups by name; of those that are the same as before the very rows: what is known of a ceiling belongs to its object.
 */
async function groupsOf(
  rows: TenantRows["groups"],
  last: Snapshot | undefined,
  pause: Pause,
): Promise<Snapshot["groups"]> {
  const read = await byName(rows, pause);
  if (!last || last.groups.size === 0) return read;
  const groups = new Map<string, Registered<GroupDocument>>();
  await eachInSlices(read, pause, ([name, row]) => {
    const known = last.groups.get(name);
    groups.set(name, known?.digest === row.digest ? known : row);
  });
  return groups;
}

async function ceilingsOf(
  groups: ReadonlyMap<string, Registered<GroupDocument>>,
  pause: Pause,
): Promise<Snapshot["ceilings"]> {
  const limiting = [...groups.values()].filter(({ document }) => document.spec.ceiling);
  const members = limiting.reduce((sum, { document }) => sum + document.spec.members.length, 0);
  const ceilings = createNameIndex<Lone | Scope[]>(members);
  await eachInSlices(membersOf(limiting), pause, ([member, lone]) => {
    const known = ceilings.get(member);
    if (!known) ceilings.set(member, lone);
    else if (isLone(known)) ceilings.set(member, [...known, ...lone]);
    else known.push(...lone);
  });
  return ceilings;
}

async function agentsOf(rows: TenantRows["agents"], pause: Pause): Promise<Snapshot["agents"]> {
  const agents = createNameIndex<AgentDocument>(rows.length);
  await eachInSlices(rows, pause, (row) => isNamed(row) && agents.set(row.document.metadata.name, row.document));
  return agents;
}

async function buildActive(
  tenant: string,
  rows: TenantRows,
  last: Snapshot | undefined,
  building: Building,
): Promise<Snapshot> {
  const { pause, base = last?.usable ? last : undefined } = building;
  const agents = await agentsOf(rows.agents, pause);
  // The very map of before where they are the same: others have made something of it.
  const same = last !== undefined && sameRows(rows.budgets, [...last.budgets.values()]);
  const budgets = same ? last.budgets : await byName(rows.budgets, pause);
  const declared = { budgets, groups: await groupsOf(rows.groups, last, pause) };
  const revoked = await revokedInSlices(rows.revocations, pause);
  const binding = { agents, ceilings: await ceilingsOf(declared.groups, pause), revoked };
  const { revisions, engine, settings, fingerprint } = rows;
  const common = { tenant, revisions, engine, settings, fingerprint, ...binding, ...declared };
  const parts = asCompiled(rows, base) ?? (await compileRows(rows, building, base));
  if ("compiled" in parts) return { ...common, ...parts, usable: true };
  if (!last?.usable) return { ...common, ...(await nothingInForce(rows, pause)), broken: parts, usable: false };
  const kept = await lastGood(rows, last, (less) => compileRows(less, building, last));
  return { ...common, ...kept, broken: parts, usable: true };
}

function otherEngine(decides: string): Fault {
  const message = `engine ${decides} decides here, and this replica has engine ${engineVersion}`;
  return new Fault("unavailable", "engine_other", message, {
    fix: "ask again on another connection; whoever runs the service ends this replica, or names its engine",
  });
}

/** Refuses to decide by a snapshot that another engine decides by, or that has no policies in force. */
export function requireUsable(snapshot: Snapshot): Snapshot {
  if (snapshot.engine !== undefined && snapshot.engine !== engineVersion) throw otherEngine(snapshot.engine);
  if (snapshot.usable) return snapshot;
  throw new Fault("unavailable", "policies_broken", "the stored policies of this tenant do not compile", {
    fix: "put policies or tools in force that compile together; the service's log says what is wrong with these",
  });
}
