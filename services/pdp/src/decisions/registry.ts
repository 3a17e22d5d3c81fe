import {
  type AgentDocument,
  type BudgetDocument,
  type Documents,
  type GroupDocument,
  keysRedactedNoMore,
  type Problem,
  type SourceFile,
  type ToolDocument,
} from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { type DigestKind, digestBytes, digestText } from "../foundation/digest.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import { mapInSlices } from "../foundation/in-slices.ts";
import { finishInSlices } from "../foundation/steps.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Caller } from "../identities/index.ts";
import {
  type DocumentKind,
  type Registered,
  type Revisions,
  type Snapshot,
  type Snapshots,
  withRollout,
} from "../policies/index.ts";
import { requireSameBudget } from "./budget-fixed.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import type { Written } from "./policy-change.ts";
import { type ReadDocuments, type ReadFiles, withRead } from "./reading.ts";

export type PutEffect = "none" | "created" | "replaced";

/** What putting a document did, or would do; with problems of severity `error`, nothing. */
export interface Put<Document> {
  readonly document: Document | undefined;
  readonly digest: string;
  readonly effect: PutEffect;
  readonly problems: readonly Problem[];
  readonly revision: bigint;
}

/** Puts agents, tools, budgets and groups into the registry. Every change is checked whole before anything of it is made. */
export interface Registry {
  putAgent(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<AgentDocument>>;
  putTool(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<ToolDocument>>;
  putBudget(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<BudgetDocument>>;
  putGroup(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<GroupDocument>>;
  /** Deletes by name, all in one revision, which it answers. Each must be there. */
  remove(caller: Caller, kind: DocumentKind, names: readonly string[], dryRun: boolean): Promise<bigint>;
}

export const failed = (problems: readonly Problem[]) => problems.some(({ severity }) => severity === "error");

export function written<Document extends object>(
  kind: DigestKind,
  document: Document,
  source: string,
  { digestOf }: Pick<ReadDocuments, "digestOf">,
): Written<Document> {
  return { document, source, digest: digestOf(document) ?? digestBytes(kind, canonical(document)) };
}

function only<Document>(documents: readonly Document[], all: Documents, kind: string): Document {
  const [document, ...more] = documents;
  const others = Object.values(all).reduce((sum, list) => sum + list.length, 0) - documents.length;
  if (document && more.length === 0 && others === 0) return document;
  throw invalid("document", `exactly one document of kind ${kind} is expected`, { fix: "send one document a request" });
}

const refusedPut = (problems: readonly Problem[], revisions: Revisions) =>
  ({ document: undefined, digest: "", effect: "none", problems, revision: revisionNumber(revisions) }) as const;

const heldNames = (now: Snapshot, kind: DocumentKind): { has(name: string): boolean } =>
  ({ agent: now.agents, tool: now.tools, budget: now.budgets, group: now.groups })[kind];

const movedOn = (error: unknown) => error instanceof Fault && error.reason === "revision_conflict";

const unknownReasons = {
  agent: "agent_unknown",
  tool: "tool_unknown",
  budget: "budget_unknown",
  group: "group_unknown",
} as const;

function unknownDocument(kind: DocumentKind, name: string | undefined): Fault {
  const message = name === undefined ? `not every ${kind} of these is there` : `there is no ${kind} ${name}`;
  return new Fault("missing", unknownReasons[kind], message, { field: "names", fix: `list the ${kind}s` });
}

/** How often a tool is checked anew because the tenant changed meanwhile. */
const RACES_MAX = 32;

/** What is told of budgets whose keys a tool begins or ends to redact. */
function keyWarnings(now: Snapshot, tool: ToolDocument): Promise<Problem[]> {
  const { name } = tool.metadata;
  const before = now.tools.get(name)?.document;
  const steps = keysRedactedNoMore(tool, before, toolsBut(now, name), documentsOf(now.budgets.values()));
  return finishInSlices(steps, turnOfTheLoop);
}

function* documentsOf<Document>(rows: Iterable<Registered<Document>>): Iterable<Document> {
  for (const { document } of rows) yield document;
}

function* toolsBut({ tools }: Snapshot, name: string): Iterable<ToolDocument> {
  for (const tool of documentsOf(tools.values())) if (tool.metadata.name !== name) yield tool;
}

/** All tools with this one in the place of what has its name, the last of them. */
async function toolsWith(now: Snapshot, tool: ToolDocument): Promise<ToolDocument[]> {
  const others = await mapInSlices(toolsBut(now, tool.metadata.name), turnOfTheLoop, (one) => one);
  return [...others, tool];
}

interface Rooms {
  readonly snapshots: Snapshots;
  readonly change: MakeChange;
  readonly read: ReadFiles;
}

function revisionAfter(applied: Awaited<ReturnType<MakeChange>>): bigint {
  if (applied.ok) return revisionNumber(applied.value.revisions);
  throw new Fault("aborted", "revision_conflict", "another change came in between", { fix: "try again" });
}

type PutOne = ReturnType<typeof putting>;

/** Puts one document that was checked. */
function putting({ change }: Rooms) {
  return async <Document extends AgentDocument | ToolDocument | BudgetDocument | GroupDocument>(
    caller: Caller,
    now: Snapshot,
    next: Written<Document>,
    heldDigest: string | undefined,
    dryRun: boolean,
    kind: "agent_put" | "tool_put" | "budget_put" | "group_put",
  ): Promise<Put<Document>> => {
    const digest = digestText(next.digest);
    const effect = heldDigest === digest ? "none" : heldDigest === undefined ? "created" : "replaced";
    const result = { document: next.document, digest, effect, problems: [] } as const;
    if (dryRun || effect === "none") return { ...result, revision: revisionNumber(now.revisions) };
    // What a tool was checked against must still hold; the others stand for themselves.
    const checkedAt = kind === "tool_put" ? { expected: now.revisions } : {};
    const applied = await change(caller, { kind, ...next, ...checkedAt } as Parameters<MakeChange>[1]);
    return { ...result, revision: revisionAfter(applied) };
  };
}

/** Every set of policies that decides for somebody: what is in force, and what a share of the sessions tries. */
function decidingSets({ policies, rollout }: Snapshot) {
  return rollout && rollout.shareBasisPoints > 0 ? [policies, withRollout(policies, rollout)] : [policies];
}

function declarations(
  { snapshots, change, read }: Rooms,
  put: PutOne,
): Pick<Registry, "putBudget" | "putGroup" | "remove"> {
  return {
    putBudget: (caller, source, dryRun) =>
      withRead(read, [source], async (parsed) => {
        const now = await snapshots.refresh(caller.tenant);
        const { documents, problems } = parsed;
        if (failed(problems)) return refusedPut(problems, now.revisions);
        const next = written("budget", only(documents.budgets, documents, "Budget"), source.text, parsed);
        const before = now.budgets.get(next.document.metadata.name);
        requireSameBudget(before?.document, next.document);
        return { ...(await put(caller, now, next, before?.digest, dryRun, "budget_put")), problems };
      }),
    putGroup: (caller, source, dryRun) =>
      withRead(read, [source], async (parsed) => {
        const now = await snapshots.current(caller.tenant);
        const { documents, problems } = parsed;
        if (failed(problems)) return refusedPut(problems, now.revisions);
        const next = written("group", only(documents.groups, documents, "Group"), source.text, parsed);
        const held = now.groups.get(next.document.metadata.name)?.digest;
        return { ...(await put(caller, now, next, held, dryRun, "group_put")), problems };
      }),
    async remove(caller, kind, names, dryRun) {
      const now = await snapshots.refresh(caller.tenant);
      const held = heldNames(now, kind);
      const missing = names.find((name) => !held.has(name));
      if (missing !== undefined || names.length === 0) throw unknownDocument(kind, missing);
      if (dryRun) return revisionNumber(now.revisions);
      const applied = await change(caller, { kind: `${kind}s_deleted`, names });
      if (!applied.ok && applied.refusal === "missing") throw unknownDocument(kind, undefined);
      return revisionAfter(applied);
    },
  };
}

export function createRegistry(rooms: Rooms): Registry {
  const { snapshots, read } = rooms;
  const put = putting(rooms);
  /** What the policies in force are warned of that they were not before: a schema changes what a rule says of numbers. */
  const newWarnings = async (found: readonly Problem[], now: Snapshot, policies: Snapshot["policies"]) => {
    if (found.length === 0) return [];
    const tools = await mapInSlices(now.tools.values(), turnOfTheLoop, ({ document }) => document);
    const { problems } = await snapshots.check(now, { policies, tools });
    const known = new Set(problems.map(({ file, message }) => `${file} ${message}`));
    return found.filter(({ file, message }) => !known.has(`${file} ${message}`));
  };
  return {
    putAgent: (caller, source, dryRun) =>
      withRead(read, [source], async (parsed) => {
        const now = await snapshots.current(caller.tenant);
        const { documents, problems } = parsed;
        if (failed(problems)) return refusedPut(problems, now.revisions);
        const next = written("agent", only(documents.agents, documents, "Agent"), source.text, parsed);
        const held = now.agents.get(next.document.metadata.name);
        const heldDigest = held && digestText(digestBytes("agent", canonical(held as unknown as Json)));
        return { ...(await put(caller, now, next, heldDigest, dryRun, "agent_put")), problems };
      }),
    ...declarations(rooms, put),
    putTool: (caller, source, dryRun) =>
      withRead(read, [source], async (parsed) => {
        const { documents, problems } = parsed;
        let now = await snapshots.current(caller.tenant);
        if (failed(problems)) return refusedPut(problems, now.revisions);
        const next = written("tool", only(documents.tools, documents, "Tool"), source.text, parsed);
        const { name } = next.document.metadata;
        for (let races = 0; ; races++) {
          // A tool whose new schema contradicts a policy in force is refused: else the tenant could not be compiled.
          const tools = await toolsWith(now, next.document);
          const told = [...problems, ...(await parsed.placed(await keyWarnings(now, next.document)))];
          for (const policies of decidingSets(now)) {
            const checked = await snapshots.check(now, { policies, tools });
            if (failed(checked.problems)) return refusedPut([...problems, ...checked.problems], now.revisions);
            told.push(...(await newWarnings(checked.problems, now, policies)));
          }
          try {
            const done = await put(caller, now, next, now.tools.get(name)?.digest, dryRun, "tool_put");
            return { ...done, problems: told };
          } catch (error) {
            // Somebody else changed the tenant meanwhile: what was checked is checked again, against that.
            if (!movedOn(error) || races >= RACES_MAX) throw error;
            now = await snapshots.refresh(caller.tenant);
          }
        }
      }),
  };
}
