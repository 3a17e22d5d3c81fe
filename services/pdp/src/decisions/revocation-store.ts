import type { Maker, Revocable } from "../policies/index.ts";

/** A revocation that is to be made. */
export interface NewRevocation extends Revocable {
  /** UUIDv7. */
  readonly id: string;
  readonly reason: string;
  /** Id of the caller. */
  readonly by: string;
}

/** A revocation as its administrators see it. */
export interface Revocation extends Revocable {
  readonly id: string;
  readonly reason: string;
  readonly atMs: number;
  readonly by: Maker;
  /** Of a session: when it would have ended. */
  readonly expiresAtMs: number | undefined;
  readonly lifted: { readonly atMs: number; readonly by: Maker; readonly reason: string } | undefined;
}

export type RevocationChange =
  | { readonly kind: "revoked"; readonly revocation: NewRevocation }
  | { readonly kind: "revocation_lifted"; readonly id: string; readonly by: string; readonly reason: string };

export interface RevocationQuery {
  /** Those that do not live any more, too. */
  readonly all: boolean;
  readonly halts: boolean;
  /** Only older ones than this. */
  readonly before: string | undefined;
  readonly most: number;
}

/** What is read of revocations, beside what the snapshot holds. */
export interface RevocationStore {
  revocation(tenant: string, id: string): Promise<Revocation | null>;
  /** The one of this subject that was not lifted. */
  living(tenant: string, subject: Pick<Revocable, "kind" | "subject">): Promise<Revocation | null>;
  /** The newest first. */
  revocations(tenant: string, query: RevocationQuery): Promise<Revocation[]>;
}
