import type { Canonicalisable, JsonObject } from "../foundation/canonical.ts";
import { digestText } from "../foundation/digest.ts";
import type { Caller, Remembered } from "../identities/index.ts";

export const PROPOSAL_STATES = ["proposed", "applied", "rejected", "withdrawn", "expired", "refused"] as const;
/** `refused`: it was approved, and could not be made. */
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** Somebody who did something. */
export type Doer = Pick<Caller, "id" | "name">;

/** A row that a change writes: what shows of it, as it is and as it becomes. Null: not there. */
export interface ChangedRow {
  readonly table: string;
  readonly was: JsonObject | null;
  readonly becomes: JsonObject | null;
}

/** A change that is proposed, before it is stored. */
export interface NewProposal {
  /** UUID. */
  readonly id: string;
  /** The caller's id. */
  readonly by: string;
  readonly method: string;
  /** All that is agreed to, as canonical JSON, and its digest. */
  readonly request: string;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** From its commit, by the store's time. */
  readonly waitsMs: number;
  readonly proven: Remembered | undefined;
}

/** One person's word. */
interface Approval {
  readonly by: Doer;
  readonly atMs: number;
  readonly proven: Remembered | undefined;
}

/** A change that was proposed, as it stands now by the store's time. */
export interface Proposal {
  readonly id: string;
  readonly tenant: string;
  readonly request: string;
  readonly digest: Uint8Array;
  readonly method: string;
  readonly message: JsonObject;
  readonly reason: string;
  readonly rows: readonly ChangedRow[];
  /** The tenant's revision when it was proposed. */
  readonly revision: string;
  readonly by: Doer;
  /** What its proposer's token or certificate said. */
  readonly proven: Remembered | undefined;
  readonly proposedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: ProposalState;
  /** In the order in which they came. */
  readonly approvals: readonly Approval[];
  readonly ended: { readonly atMs: number; readonly by: Doer | undefined; readonly why: string } | undefined;
  /** How many people the tenant takes now. */
  readonly people: number;
}

/** What is done to a proposal without making its change. */
export type ProposalChange =
  | { readonly kind: "change_proposed"; readonly proposal: NewProposal }
  | {
      readonly kind: "change_approved";
      readonly proposal: string;
      readonly by: string;
      readonly digest: Uint8Array;
      readonly proven: Remembered | undefined;
    }
  | {
      readonly kind: "change_ended";
      readonly proposal: string;
      /** Undefined: its time ran out. */
      readonly by: string | undefined;
      readonly as: Exclude<ProposalState, "proposed" | "applied">;
      readonly why: string;
    };

/** A proposal whose change is made now, in one commit with its last approval. */
export interface Approved {
  readonly id: string;
  readonly digest: Uint8Array;
  readonly proposedBy: Doer;
  /** Everybody who approved it. */
  readonly approvedBy: readonly Doer[];
  /** Who approves it with this commit; undefined when all had approved it before. */
  readonly last: { readonly id: string; readonly proven: Remembered | undefined } | undefined;
  readonly endedBy: string;
}

/** What an entry says of it. */
export function toldOfProposal(change: ProposalChange): Canonicalisable {
  switch (change.kind) {
    case "change_proposed": {
      const { id, method, digest } = change.proposal;
      return { proposal: id, method, digest: digestText(digest) };
    }
    case "change_approved":
      return { proposal: change.proposal, digest: digestText(change.digest) };
    case "change_ended":
      return { proposal: change.proposal, as: change.as, ...(change.why && { why: change.why }) };
  }
}

/** What the entry of the change itself says of its approval. */
export function toldOfApproved({ id, digest, proposedBy, approvedBy }: Approved): Canonicalisable {
  return { id, digest: digestText(digest), proposed_by: proposedBy, approved_by: approvedBy };
}
