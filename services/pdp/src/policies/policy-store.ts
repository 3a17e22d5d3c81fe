import type { AgentDocument, BudgetDocument, GroupDocument, PolicyDocument, ToolDocument } from "@remit/engine";
import type { Revocable } from "./revoked.ts";
import type { RolloutRows } from "./rollout.ts";
import type { Tenant, TenantSettings } from "./settings.ts";

/** The two counters of a tenant. `security` moves when authority may have shrunk, `policy` with the rest. */
export interface Revisions {
  readonly security: bigint;
  readonly policy: bigint;
}

/** A document, and the digest of its canonical form. */
export interface Registered<Document> {
  readonly document: Document;
  /** `sha256:<hex>` */
  readonly digest: string;
}

export interface ActivePolicy extends Registered<PolicyDocument> {
  readonly version: number;
}

/** A version in force, without its document. What a version says never changes, so that may be read later. */
export interface PolicyHead {
  readonly policy: string;
  readonly version: number;
  /** `sha256:<hex>` */
  readonly digest: string;
}

/** What the rows of a tenant are, in a word a part: another word where any row of the part was written anew. */
export type Fingerprint = Readonly<
  Record<"settings" | "policies" | "rollout" | "tools" | "agents" | "budgets" | "groups" | "revocations", string>
>;

export interface Fingerprinted {
  readonly revisions: Revisions;
  readonly fingerprint: Fingerprint;
}

/** Everything that a snapshot is made of, as it stood at one moment. */
export interface TenantRows {
  /** Of that moment too. */
  readonly fingerprint?: Fingerprint | undefined;
  readonly revisions: Revisions;
  /** The version of the engine that decides in this cell; undefined where none was named: any does. */
  readonly engine?: string | undefined;
  readonly settings: TenantSettings;
  readonly policies: readonly ActivePolicy[];
  /** All that is in force, in order, where `policies` are only the part of it that the reader knew. */
  readonly heads?: readonly PolicyHead[] | undefined;
  readonly tools: readonly Registered<ToolDocument>[];
  readonly agents: readonly Registered<AgentDocument>[];
  readonly budgets: readonly Registered<BudgetDocument>[];
  readonly groups: readonly Registered<GroupDocument>[];
  /** What is revoked. */
  readonly revocations: readonly Revocable[];
  /** Versions that are tried beside those in force. */
  readonly rollout?: RolloutRows | undefined;
}

export type VersionState = "draft" | "validated" | "active" | "superseded";

/** A caller that did something. The name is empty where it is not known any more. */
export interface Maker {
  readonly id: string;
  readonly name: string;
}

/** A time that a version was in force. */
export interface Activation {
  /** Undefined: before this was written down. */
  readonly sinceMs: number | undefined;
  /** Undefined: to this day. */
  readonly untilMs: number | undefined;
  readonly cause: "activated" | "rolled_back" | "promoted";
  readonly by: Maker | undefined;
  readonly endedBy: Maker | undefined;
}

/** One published version of a policy. */
export interface PolicyVersion {
  readonly policy: string;
  /** From 1, without gaps, in order of publication. */
  readonly version: number;
  readonly digest: string;
  readonly state: VersionState;
  /** Unknown of one that an earlier build published. */
  readonly language: NonNullable<PolicyDocument["spec"]["language"]> | undefined;
  /** Those of its document: none of a policy in another language. */
  readonly rules: number;
  readonly publishedAtMs: number;
  readonly publishedBy: Maker | undefined;
  /** Of what was a draft once. */
  readonly validated: { readonly atMs: number; readonly by: Maker | undefined } | undefined;
  /** The newest ones, the last of them last. */
  readonly activations: readonly Activation[];
}

/** Where a version stands among all of a tenant. */
export type VersionPlace = Pick<PolicyVersion, "policy" | "version">;

/** One line of what a policy's history says was in force, in order. */
export interface PastActivation {
  readonly policy: string;
  readonly version: number;
  readonly cause: Activation["cause"];
  readonly living: boolean;
}

/** A version with its document. */
export interface StoredPolicy {
  readonly version: PolicyVersion;
  readonly document: PolicyDocument;
  /** As its author wrote it. */
  readonly source: string;
}

/**
 * The first of some versions, whole: one at least, and others while what is before them takes fewer bytes in the store
 * than a page has.
 */
export interface StoredPage {
  /** Where all of them stand. */
  readonly heads: readonly VersionPlace[];
  /** What the first heads are of. */
  readonly stored: readonly StoredPolicy[];
}

/** How a rollout ended: its versions came into force, it was called off, or what it was about was changed by name. */
export type RolloutEnd = "promoted" | "aborted" | "overtaken";

/** A rollout as its administrators see it. */
export interface RolloutInfo {
  readonly id: string;
  readonly shareBasisPoints: number;
  readonly shareSetAtMs: number;
  readonly startedAtMs: number;
  readonly startedBy: Maker;
  /** What it tries; `base` is what was in force when it began, undefined where nothing was. */
  readonly versions: readonly {
    readonly policy: string;
    readonly version: number;
    readonly base: number | undefined;
  }[];
  readonly ended: { readonly as: RolloutEnd; readonly atMs: number; readonly by: Maker | undefined } | undefined;
}

/** The kinds of documents that stand for themselves, one a name. */
export type DocumentKind = "agent" | "tool" | "budget" | "group";

/** What the room reads. */
export interface PolicyStore {
  /**
   * All of a tenant's rows in one snapshot of the store, its revisions read first. Policies that are `known` are answered
   * as they are given; where the others are many rules, they are left out, so that what is taken away is known soon.
   */
  load(tenant: string, known?: readonly ActivePolicy[]): Promise<TenantRows>;
  /** The policy of a version that was left out. */
  read(tenant: string, head: PolicyHead): Promise<ActivePolicy>;
  /** What the rows of a tenant are now, without reading what stands in them. */
  fingerprint(tenant: string): Promise<Fingerprinted>;
  /** The tenant's counters: cheap, for whoever wants to know whether a load is worth it. */
  revisions(tenant: string): Promise<Revisions>;
  /** The tenant as it stands now, or null. */
  tenant(id: string): Promise<Tenant | null>;
  /** Tenants of the cell by id, those after `after`, at most so many. */
  tenants(after: string | undefined, most: number): Promise<Tenant[]>;
  /** The ids of active tenants that have a living session. */
  tenantsInUse(): Promise<string[]>;
  /**
   * The names of what is registered, of one kind, in the order in which the store has texts: those after `after`, at most
   * so many. Each that is there all the while is met once by whoever goes on after the last one.
   */
  names(tenant: string, kind: DocumentKind, after: string | undefined, most: number): Promise<string[]>;
  versions(tenant: string): Promise<PolicyVersion[]>;
  /** Those in force, by policy. */
  versionsInForce(tenant: string): Promise<PolicyVersion[]>;
  /** The same by policy and version: those after `after`, at most so many. */
  versionsAfter(tenant: string, after: VersionPlace | undefined, most: number): Promise<PolicyVersion[]>;
  /**
   * Published versions with their documents; version 0 is the newest that is no draft, else the newest. Those that do
   * not exist are left out.
   */
  documents(
    tenant: string,
    choices: readonly { readonly policy: string; readonly version: number }[],
  ): Promise<(ActivePolicy & { readonly draft: boolean })[]>;
  /** A rollout by its id; without one the one under way, else the one that began last. Null when there is none. */
  rollout(tenant: string, id: string | undefined): Promise<RolloutInfo | null>;
  /** What was in force of these policies, each in order; of one that was changed very often the newest part. */
  history(tenant: string, policies: readonly string[]): Promise<PastActivation[]>;
  /** Likewise, whole and in the order of the choices, several versions of one policy too. */
  stored(tenant: string, choices: readonly VersionPlace[]): Promise<StoredPolicy[]>;
  /** As much of the same as a page holds. */
  storedPage(tenant: string, choices: readonly VersionPlace[], bytesMax: number): Promise<StoredPage>;
  /** As much of what is in force as a page holds, by policy: of those after `after`, at most so many. */
  inForcePage(tenant: string, after: string | undefined, most: number, bytesMax: number): Promise<StoredPage>;
}
