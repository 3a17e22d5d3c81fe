import { compile, type PolicyDocument, type Problem, parseDocuments, type SourceFile } from "@remit/engine";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Caller } from "../identities/index.ts";
import {
  type PolicyStore,
  type PolicyVersion,
  quotaExceeded,
  type Snapshot,
  type Snapshots,
} from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { revisionNumber } from "./decision.ts";
import { type Choice, unknownVersion } from "./policy-choice.ts";
import { failed, written } from "./registry.ts";

export interface Published {
  readonly versions: readonly (PolicyVersion & { readonly created: boolean })[];
  readonly problems: readonly Problem[];
}

export interface Activated {
  readonly revision: bigint;
  readonly policyDigest: string;
}

/** From a file to a policy in force, in two steps that two people may take. */
export interface Lifecycle {
  /** Checks and stores versions; none of them is in force yet. With problems of severity `error`, nothing is stored. */
  publish(caller: Caller, files: readonly SourceFile[], strict: boolean, dryRun: boolean): Promise<Published>;
  /** Puts versions in force, all in one revision. `expected` refuses when the tenant has moved on. */
  activate(caller: Caller, choices: readonly Choice[], expected: bigint | undefined): Promise<Activated>;
  /** Takes policies out of force, all in one revision. Each must be in force. */
  deactivate(caller: Caller, names: readonly string[], expected: bigint | undefined): Promise<Activated>;
}

/** What its author wrote, when the file holds nothing else; else the document as it was understood. */
function sourceOf(document: PolicyDocument, files: readonly SourceFile[]): string {
  const [file, ...others] = files;
  const alone = file && others.length === 0 && !/^---/m.test(file.text.trimStart().replace(/^---/, ""));
  return alone ? file.text : JSON.stringify(document, null, 2);
}

function conflict(): Fault {
  return new Fault("aborted", "revision_conflict", "the tenant's policies have changed since that revision", {
    field: "expected_revision",
    fix: "list the policies, look at what changed, and activate again with the revision they are at",
  });
}

const toolsOf = (snapshot: Snapshot) => [...snapshot.tools.values()].map(({ document }) => document);

const rulesOf = (policies: readonly { readonly document: PolicyDocument }[]) =>
  policies.reduce((rules, { document }) => rules + document.spec.rules.length, 0);

/** Refuses more rules than the tenant may have. What makes them fewer is never refused. */
function refuseTooManyRules({ settings }: Snapshot, before: number, after: number): void {
  const max = Math.min(settings.quotas.rules ?? limits.rulesMax, limits.rulesMax);
  if (after > max && after > before) throw quotaExceeded("rules", max);
}

export function createLifecycle(rooms: {
  readonly snapshots: Snapshots;
  readonly policies: PolicyStore;
  readonly change: MakeChange;
}): Lifecycle {
  const { snapshots, policies, change } = rooms;
  return {
    async publish(caller, files, strict, dryRun) {
      const now = await snapshots.current(caller.tenant);
      const parsed = parseDocuments(files);
      if (failed(parsed.problems)) return { versions: [], problems: parsed.problems };
      const drafts = parsed.documents.policies.map((document) => ({ document, version: 0 }));
      if (drafts.length === 0) throw invalid("files", "the files hold no document of kind Policy");
      refuseTooManyRules(now, 0, rulesOf(drafts));
      const checked = compile({ policies: drafts, tools: toolsOf(now) }, { strict, last: now.compiled });
      const problems = [...parsed.problems, ...checked.problems];
      if (dryRun || failed(problems)) return { versions: [], problems };
      const next = parsed.documents.policies.map((document) => written("policy", document, sourceOf(document, files)));
      const applied = await change(caller, { kind: "policies_published", policies: next, by: caller.id });
      if (!applied.ok) throw conflict();
      return { versions: applied.value.versions, problems };
    },
    async activate(caller, choices, expected) {
      const now = await snapshots.refresh(caller.tenant);
      if (expected !== undefined && expected !== revisionNumber(now.revisions)) throw conflict();
      const chosen = await policies.documents(caller.tenant, choices);
      const missing = choices.find(({ policy }) => !chosen.some(({ document }) => document.metadata.name === policy));
      if (missing || choices.length === 0) throw unknownVersion(missing);
      const kept = now.policies.filter(
        ({ document }) => !choices.some(({ policy }) => policy === document.metadata.name),
      );
      refuseTooManyRules(now, rulesOf(now.policies), rulesOf(kept) + rulesOf(chosen));
      const checked = compile({ policies: [...kept, ...chosen], tools: toolsOf(now) }, { last: now.compiled });
      if (failed(checked.problems)) {
        throw new Fault(
          "precondition",
          "policy_invalid",
          `together they do not compile: ${checked.problems[0]?.message}`,
          {
            fix: "publish a version that fits the registered tools",
          },
        );
      }
      const exact = chosen.map(({ document, version }) => ({ policy: document.metadata.name, version }));
      const applied = await change(caller, {
        kind: "policies_activated",
        choices: exact,
        expected: now.revisions,
      });
      if (!applied.ok) throw conflict();
      const after = await snapshots.current(caller.tenant);
      return { revision: revisionNumber(applied.value.revisions), policyDigest: after.policyDigest };
    },
    async deactivate(caller, names, expected) {
      const now = await snapshots.refresh(caller.tenant);
      if (expected !== undefined && expected !== revisionNumber(now.revisions)) throw conflict();
      // As the store has it: a policy that does not compile can be taken out of force, too.
      const active = (await policies.versions(caller.tenant)).filter(({ state }) => state === "active");
      const missing = names.find((name) => !active.some(({ policy }) => policy === name));
      if (missing !== undefined || names.length === 0) {
        throw new Fault("missing", "policy_unknown", `no such policy is in force: ${missing ?? "none was named"}`, {
          field: "policies",
        });
      }
      // No policy reads anything of another: what is left compiles.
      const applied = await change(caller, {
        kind: "policies_deactivated",
        policies: names,
        expected: now.revisions,
      });
      if (!applied.ok) throw conflict();
      const after = await snapshots.current(caller.tenant);
      return { revision: revisionNumber(applied.value.revisions), policyDigest: after.policyDigest };
    },
  };
}
