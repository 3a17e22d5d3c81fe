import type { PolicyDocument, Problem, SourceFile } from "@remit/engine";
import { digestText } from "../foundation/digest.ts";
import { invalid } from "../foundation/fault.ts";
import { finishInSlices, type Steps } from "../foundation/steps.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Caller } from "../identities/index.ts";
import type { PolicyVersion, Snapshot, StoredPolicy } from "../policies/index.ts";
import type { LifecycleRooms } from "./lifecycle.ts";
import type { Written } from "./policy-change.ts";
import { type Choice, storedPolicies } from "./policy-choice.ts";
import { movedOn, refuseTooMany, toolsOf, type Versioned } from "./policy-set.ts";
import { type ReadDocuments, withRead } from "./reading.ts";
import { failed, written } from "./registry.ts";

export interface Published {
  readonly versions: readonly (PolicyVersion & { readonly created: boolean })[];
  readonly problems: readonly Problem[];
}

export interface PublishOptions {
  /** Warnings count as errors. */
  readonly strict: boolean;
  readonly dryRun: boolean;
  /** Stored whatever is wrong with them, as long as they can be read. */
  readonly draft: boolean;
}

/** A version with its document, and what is wrong with it beside what is registered now, if it is a draft. */
export interface ShownPolicy extends StoredPolicy {
  readonly problems: readonly Problem[];
}

/** How versions come to be: none of this puts anything in force. */
export interface Publishing {
  /** Checks and stores versions. With problems of severity `error` nothing is stored, but for drafts that can be read. */
  publish(caller: Caller, files: readonly SourceFile[], options: PublishOptions): Promise<Published>;
  /** Checks stored drafts beside what is registered now. Without problems of severity `error` they are drafts no more. */
  validate(caller: Caller, choices: readonly Choice[], strict: boolean): Promise<Published>;
  /** A stored version with what is wrong with it. */
  show(caller: Caller, stored: StoredPolicy): Promise<ShownPolicy>;
}

/** What its author wrote, when the file holds nothing else; else the document as it was understood. */
function sourceOf(document: PolicyDocument, files: readonly SourceFile[]): string {
  const [file, ...others] = files;
  const alone = file && others.length === 0 && !/^---/m.test(file.text.trimStart().replace(/^---/, ""));
  return alone ? file.text : JSON.stringify(document, null, 2);
}

/** What ten microseconds write of a document. */
const CHARS_A_STEP = 5_000;

/** Documents as they are stored. Each may be a megabyte long. */
function* allWritten(
  documents: readonly PolicyDocument[],
  files: readonly SourceFile[],
  parsed: ReadDocuments,
): Steps<Written<PolicyDocument>[]> {
  const all: Written<PolicyDocument>[] = [];
  for (const document of documents) {
    const one = written("policy", document, sourceOf(document, files), parsed);
    all.push(one);
    yield 1 + one.source.length / CHARS_A_STEP;
  }
  return all;
}

/** The version that a document would have: the one of the same content, else the next. */
function wouldBe(
  { document, digest }: Written<PolicyDocument>,
  before: readonly PolicyVersion[],
  draft: boolean,
): PolicyVersion & { readonly created: boolean } {
  const { name } = document.metadata;
  const text = digestText(digest);
  const same = before.find((version) => version.digest === text);
  if (same) return { ...same, created: false };
  const version = before.reduce((newest, one) => Math.max(newest, one.version), 0) + 1;
  const { language = "native", rules } = document.spec;
  const fresh = { policy: name, version, digest: text, language, rules: rules.length, publishedAtMs: 0 };
  const untouched = { publishedBy: undefined, validated: undefined, activations: [] };
  return { ...fresh, ...untouched, state: draft ? "draft" : "validated", created: true };
}

/** Versions that are looked at in ten microseconds. */
const VERSIONS_A_STEP = 50;

/** The versions that documents would have, of a tenant that may have very many of each. */
function* allWouldBe(next: readonly Written<PolicyDocument>[], there: readonly PolicyVersion[], draft: boolean) {
  const versions = new Map<string, PolicyVersion[]>();
  for (const one of there) {
    const before = versions.get(one.policy);
    if (before) before.push(one);
    else versions.set(one.policy, [one]);
    yield 1 / VERSIONS_A_STEP;
  }
  const all: Published["versions"][number][] = [];
  for (const one of next) {
    const before = versions.get(one.document.metadata.name) ?? [];
    all.push(wouldBe(one, before, draft));
    yield 1 + before.length / VERSIONS_A_STEP;
  }
  return all;
}

/** Stored versions as files, to read again: what is wrong with them has a place in what their author wrote. */
function filesOf(stored: readonly StoredPolicy[]): SourceFile[] {
  return stored.map(({ version: { policy, version }, source }) => ({ file: `${policy}@${version}`, text: source }));
}

const asVersions = ({ documents }: ReadDocuments): Versioned[] =>
  documents.policies.map((document) => ({ document, version: 0 }));

export function createPublishing({ snapshots, policies, change, read }: LifecycleRooms): Publishing {
  /** Everything that is wrong with what was read, by itself and beside what is registered. */
  const checked = async (now: Snapshot, parsed: ReadDocuments, strict: boolean): Promise<Problem[]> => {
    const { problems } = await snapshots.check(now, { policies: asVersions(parsed), tools: toolsOf(now), strict });
    const warnings = await snapshots.lint(now, parsed.documents.policies);
    const held = warnings.map((warning) => (strict ? { ...warning, severity: "error" as const } : warning));
    return [...parsed.problems, ...(await parsed.placed([...problems, ...held]))];
  };

  const problemsOf = (now: Snapshot, stored: readonly StoredPolicy[], strict: boolean): Promise<Problem[]> =>
    withRead(read, filesOf(stored), (parsed) => checked(now, parsed, strict));

  return {
    publish: (caller, files, { strict, dryRun, draft }) =>
      withRead(read, files, async (parsed) => {
        const now = await snapshots.current(caller.tenant);
        if (failed(parsed.problems)) return { versions: [], problems: parsed.problems };
        const drafts = parsed.documents.policies;
        if (drafts.length === 0) throw invalid("files", "the files hold no document of kind Policy");
        refuseTooMany(now, [], asVersions(parsed));
        const problems = await checked(now, parsed, strict);
        if (!draft && failed(problems)) return { versions: [], problems };
        const next = await finishInSlices(allWritten(drafts, files, parsed), turnOfTheLoop);
        if (dryRun) {
          const there = await policies.versions(caller.tenant);
          return { versions: await finishInSlices(allWouldBe(next, there, draft), turnOfTheLoop), problems };
        }
        const applied = await change(caller, { kind: "policies_published", policies: next, draft, by: caller.id });
        if (!applied.ok) throw movedOn(undefined, now);
        return { versions: applied.value.versions, problems };
      }),
    async validate(caller, choices, strict) {
      const now = await snapshots.refresh(caller.tenant);
      if (choices.length === 0) throw invalid("choices", "no version is named");
      const stored = await storedPolicies(policies, caller.tenant, choices);
      const problems = await problemsOf(now, stored, strict);
      if (failed(problems)) return { versions: [], problems };
      const exact = stored.map(({ version: { policy, version } }) => ({ policy, version }));
      const applied = await change(caller, { kind: "policies_validated", choices: exact, by: caller.id });
      if (!applied.ok) throw movedOn(undefined, now);
      const after = await storedPolicies(policies, caller.tenant, exact);
      return { versions: after.map(({ version }) => ({ ...version, created: false })), problems };
    },
    show: async (caller, stored) => {
      if (stored.version.state !== "draft") return { ...stored, problems: [] };
      return { ...stored, problems: await problemsOf(await snapshots.current(caller.tenant), [stored], false) };
    },
  };
}
