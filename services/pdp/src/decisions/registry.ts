import {
  type AgentDocument,
  compile,
  type Documents,
  type Problem,
  parseDocuments,
  type SourceFile,
  type ToolDocument,
} from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { type DigestKind, digestBytes, digestText } from "../foundation/digest.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Revisions, Snapshot, Snapshots } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import type { Written } from "./policy-change.ts";

export type PutEffect = "none" | "created" | "replaced";

/** What putting a document did, or would do; with problems of severity `error`, nothing. */
export interface Put<Document> {
  readonly document: Document | undefined;
  readonly digest: string;
  readonly effect: PutEffect;
  readonly problems: readonly Problem[];
  readonly revision: bigint;
}

/** Puts agents and tools into the registry. Every change is checked whole before anything of it is made. */
export interface Registry {
  putAgent(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<AgentDocument>>;
  putTool(caller: Caller, source: SourceFile, dryRun: boolean): Promise<Put<ToolDocument>>;
}

export const failed = (problems: readonly Problem[]) => problems.some(({ severity }) => severity === "error");

export function written<Document>(kind: DigestKind, document: Document, source: string): Written<Document> {
  return { document, source, digest: digestBytes(kind, canonical(document as Json)) };
}

function only<Document>(documents: readonly Document[], all: Documents, kind: string): Document {
  const [document, ...more] = documents;
  const others = all.policies.length + all.tools.length + all.agents.length - documents.length;
  if (document && more.length === 0 && others === 0) return document;
  throw invalid("document", `exactly one document of kind ${kind} is expected`, { fix: "send one document a request" });
}

const refusedPut = (problems: readonly Problem[], revisions: Revisions) =>
  ({ document: undefined, digest: "", effect: "none", problems, revision: revisionNumber(revisions) }) as const;

const movedOn = (error: unknown) => error instanceof Fault && error.reason === "revision_conflict";

/** How often a tool is checked anew because the tenant changed meanwhile. */
const RACES_MAX = 32;

const toolsBut = ({ tools }: Snapshot, name: string): ToolDocument[] =>
  [...tools.values()].map(({ document }) => document).filter(({ metadata }) => metadata.name !== name);

export function createRegistry(rooms: { readonly snapshots: Snapshots; readonly change: MakeChange }): Registry {
  const { snapshots, change } = rooms;

  const revisionAfter = (applied: Awaited<ReturnType<MakeChange>>): bigint => {
    if (applied.ok) return revisionNumber(applied.value.revisions);
    throw new Fault("aborted", "revision_conflict", "another change came in between", { fix: "try again" });
  };

  const put = async <Document extends AgentDocument | ToolDocument>(
    caller: Caller,
    now: Snapshot,
    next: Written<Document>,
    heldDigest: string | undefined,
    dryRun: boolean,
    kind: "agent_put" | "tool_put",
  ): Promise<Put<Document>> => {
    const digest = digestText(next.digest);
    const effect = heldDigest === digest ? "none" : heldDigest === undefined ? "created" : "replaced";
    const result = { document: next.document, digest, effect, problems: [] } as const;
    if (dryRun || effect === "none") return { ...result, revision: revisionNumber(now.revisions) };
    // What a tool was checked against must still hold; an agent stands for itself.
    const checkedAt = kind === "tool_put" ? { expected: now.revisions } : {};
    const applied = await change(caller, { kind, ...next, ...checkedAt } as Parameters<MakeChange>[1]);
    return { ...result, revision: revisionAfter(applied) };
  };

  return {
    async putAgent(caller, source, dryRun) {
      const now = await snapshots.current(caller.tenant);
      const { documents, problems } = parseDocuments([source]);
      if (failed(problems)) return refusedPut(problems, now.revisions);
      const next = written("agent", only(documents.agents, documents, "Agent"), source.text);
      const held = now.agents.get(next.document.metadata.name);
      const heldDigest = held && digestText(digestBytes("agent", canonical(held as unknown as Json)));
      return { ...(await put(caller, now, next, heldDigest, dryRun, "agent_put")), problems };
    },
    async putTool(caller, source, dryRun) {
      const { documents, problems } = parseDocuments([source]);
      let now = await snapshots.current(caller.tenant);
      if (failed(problems)) return refusedPut(problems, now.revisions);
      const next = written("tool", only(documents.tools, documents, "Tool"), source.text);
      const { name } = next.document.metadata;
      for (let races = 0; ; races++) {
        // A tool whose new schema contradicts a policy in force is refused: else the tenant could not be compiled.
        const source = { policies: now.policies, tools: [...toolsBut(now, name), next.document] };
        const checked = compile(source, { last: now.compiled });
        if (failed(checked.problems)) return refusedPut([...problems, ...checked.problems], now.revisions);
        try {
          return { ...(await put(caller, now, next, now.tools.get(name)?.digest, dryRun, "tool_put")), problems };
        } catch (error) {
          // Somebody else changed the tenant meanwhile: what was checked is checked again, against that.
          if (!movedOn(error) || races >= RACES_MAX) throw error;
          now = await snapshots.refresh(caller.tenant);
        }
      }
    },
  };
}
