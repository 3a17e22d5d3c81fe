import type { AgentDocument, PolicyDocument, ToolDocument } from "@remit/engine";
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

/** Everything that a snapshot is made of, as it stood at one moment. */
export interface TenantRows {
  readonly revisions: Revisions;
  readonly settings: TenantSettings;
  readonly policies: readonly ActivePolicy[];
  readonly tools: readonly Registered<ToolDocument>[];
  readonly agents: readonly Registered<AgentDocument>[];
}

export type VersionState = "validated" | "active" | "superseded";

/** One published version of a policy. */
export interface PolicyVersion {
  readonly policy: string;
  /** From 1, without gaps, in order of publication. */
  readonly version: number;
  readonly digest: string;
  readonly state: VersionState;
  readonly rules: number;
  readonly publishedAtMs: number;
}

/** A version with its document. */
export interface StoredPolicy {
  readonly version: PolicyVersion;
  readonly document: PolicyDocument;
  /** As its author wrote it. */
  readonly source: string;
}

/** What the room reads. */
export interface PolicyStore {
  /** All of a tenant's rows in one snapshot of the store, its revisions read first. */
  load(tenant: string): Promise<TenantRows>;
  /** The tenant's counters: cheap, for whoever wants to know whether a load is worth it. */
  revisions(tenant: string): Promise<Revisions>;
  /** The tenant as it stands now, or null. */
  tenant(id: string): Promise<Tenant | null>;
  /** Every tenant of the cell, by id. */
  tenants(): Promise<Tenant[]>;
  versions(tenant: string): Promise<PolicyVersion[]>;
  /** Published versions with their documents; version 0 is the newest. Those that do not exist are left out. */
  documents(
    tenant: string,
    choices: readonly { readonly policy: string; readonly version: number }[],
  ): Promise<ActivePolicy[]>;
  /** Likewise, whole and in the order of the choices, several versions of one policy too; without choices what is in force. */
  stored(
    tenant: string,
    choices: readonly { readonly policy: string; readonly version: number }[],
  ): Promise<StoredPolicy[]>;
}
