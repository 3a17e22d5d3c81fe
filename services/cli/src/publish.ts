import { Change } from "@remit/proto/admin";
import type { Clients } from "./clients.ts";
import type { Document } from "./document-files.ts";
import { foreseenProblems } from "./foreseen.ts";
import { fromWire, refuses } from "./problems.ts";
import { Proposed, proposedBy } from "./proposing.ts";

/** What became of one document, or would. */
export interface Applied {
  readonly kind: Document["kind"];
  readonly name: string;
  readonly change:
    | "created"
    | "replaced"
    | "unchanged"
    | "published"
    | "activated"
    | "removed"
    | "deactivated"
    | "proposed";
  /** Of a policy. */
  readonly version?: number;
  /** The change that it was proposed as: others have to approve it. */
  readonly proposal?: string;
}

export interface ApplyOptions {
  readonly dryRun: boolean;
  readonly strict: boolean;
  /** Put the policies in force. */
  readonly activate: boolean;
}

export interface ApplyResult {
  readonly applied: readonly Applied[];
  readonly problems: readonly ReturnType<typeof fromWire>[];
  /** Of the last change; undefined when nothing changed. */
  readonly revision?: bigint;
}

const changes = new Map<Change, Applied["change"]>([
  [Change.CREATED, "created"],
  [Change.REPLACED, "replaced"],
]);

type Put = (document: Document) => Promise<{
  problems: Parameters<typeof fromWire>[0][];
  change: Change;
  revision: bigint;
}>;

/** What came of a request, or what it was proposed as. */
async function orProposed<Answer>(asked: Promise<Answer>): Promise<Answer | Proposed> {
  return asked.catch((error: unknown) => {
    const proposed = proposedBy(error);
    if (proposed) return proposed;
    throw error;
  });
}

async function putAll(documents: readonly Document[], strict: boolean, put: Put): Promise<ApplyResult> {
  const applied: Applied[] = [];
  let revision: bigint | undefined;
  for (const document of documents) {
    const { kind, name } = document;
    const answer = await orProposed(put(document));
    if (answer instanceof Proposed) {
      applied.push({ kind, name, change: "proposed", proposal: answer.change.id });
      continue;
    }
    const problems = answer.problems.map(fromWire);
    if (refuses(problems, strict)) return { applied, problems };
    applied.push({ kind, name, change: changes.get(answer.change) ?? "unchanged" });
    if (answer.revision > 0n) revision = answer.revision;
  }
  return { applied, problems: [], ...(revision === undefined ? {} : { revision }) };
}

/** What publishing answers, or in a dry run would answer once what is applied before the policies is there. */
async function published(
  clients: Clients,
  documents: readonly Document[],
  { strict, dryRun }: ApplyOptions,
  before: readonly Applied[],
) {
  const files = documents.filter(({ kind }) => kind === "policy").map(({ file, text }) => ({ file, text }));
  const answer = await clients.policy.publishPolicies({ files, strict, dryRun });
  const { versions, problems } = answer;
  const toCome = before.some(({ kind, change }) => kind === "tool" && change !== "unchanged");
  const told = problems.map(fromWire);
  if (!dryRun || !toCome || told.length === 0) return { versions, problems: told };
  const foreseen = await foreseenProblems(clients, documents, told);
  // Nothing is told of versions that are refused; of drafts it is.
  const draft = versions.length === 0 ? await clients.policy.publishPolicies({ files, dryRun, draft: true }) : answer;
  return { versions: draft.versions, problems: foreseen };
}

async function putPolicies(
  clients: Clients,
  documents: readonly Document[],
  options: ApplyOptions,
  before: readonly Applied[],
): Promise<ApplyResult> {
  if (!documents.some(({ kind }) => kind === "policy")) return { applied: [], problems: [] };
  const { strict, dryRun } = options;
  const { versions, problems } = await published(clients, documents, options, before);
  if (refuses(problems, strict)) return { applied: [], problems };
  const stored = versions.map(({ policy, version, created, state }): Applied => {
    const change = created ? "published" : state === "active" ? "unchanged" : "published";
    return { kind: "policy", name: policy, version, change };
  });
  const idle = stored.filter(({ change }) => change === "published");
  if (!options.activate || dryRun || idle.length === 0) return { applied: stored, problems };
  const choices = idle.map(({ name, version = 0 }) => ({ policy: name, version }));
  const activated = await orProposed(clients.policy.activatePolicies({ choices }));
  const became =
    activated instanceof Proposed
      ? ({ change: "proposed", proposal: activated.change.id } as const)
      : ({ change: "activated" } as const);
  const applied = stored.map((item) => (item.change === "published" ? { ...item, ...became } : item));
  return { applied, problems, ...(activated instanceof Proposed ? {} : { revision: activated.revision }) };
}

/**
 * Registers tools, then agents, budgets and groups, then publishes and activates policies, so that each finds what it
 * names. Stops at the first document that the service refuses; what came before it stays.
 */
export async function applyDocuments(
  clients: Clients,
  documents: readonly Document[],
  options: ApplyOptions,
): Promise<ApplyResult> {
  const { dryRun, strict } = options;
  const of = (kind: Document["kind"]) => documents.filter((document) => document.kind === kind);
  const source = ({ file, text }: Document) => ({ document: { file, text }, dryRun });
  const steps = [
    () => putAll(of("tool"), strict, (document) => clients.tool.putTool(source(document))),
    () => putAll(of("agent"), strict, (document) => clients.agent.putAgent(source(document))),
    () => putAll(of("budget"), strict, (document) => clients.budget.putBudget(source(document))),
    () => putAll(of("group"), strict, (document) => clients.group.putGroup(source(document))),
    (before: readonly Applied[]) => putPolicies(clients, documents, options, before),
  ];
  let result: ApplyResult = { applied: [], problems: [] };
  for (const step of steps) {
    const next = await step(result.applied);
    const revision = next.revision ?? result.revision;
    result = {
      applied: [...result.applied, ...next.applied],
      problems: [...result.problems, ...next.problems],
      ...(revision === undefined ? {} : { revision }),
    };
    if (refuses(result.problems, strict)) break;
  }
  return result;
}
