import type { Person } from "./caller.ts";

/** What a call says of who is calling, as its transport heard it. */
export interface Credentials {
  /** The `authorization` header. */
  readonly authorization: string | undefined;
  /**
   * The SPIFFE id of a certificate: one that the peer proved to hold, or that our own proxy vouches for. Throws a Fault
   * for a connection that claims more than it proves, or that proves no more what it did.
   */
  readonly certified?: (() => string | undefined) | undefined;
}

/** How a caller proved itself. `key` is a secret that it was given here; the others are somebody else's word. */
export type ProofKind = "key" | "jwt" | "spiffe" | "person";

/** Somebody else's word on who is calling, verified: a token's or a certificate's. */
export interface Evidence {
  readonly tenant: string;
  readonly kind: Exclude<ProofKind, "key">;
  /** What bindings call its source: the name of an issuer, or `spiffe` for certificates. */
  readonly source: string;
  /** Who vouches: the `iss` of a token, the trust domain of a certificate. With the subject it is the caller's identity. */
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  /** Of a person: who that is, for others to see. */
  readonly person?: Person | undefined;
  /** When this word runs out, milliseconds since 1970; undefined where the transport sees to that. */
  readonly expiresAtMs: number | undefined;
}

/** What bindings name where certificates are meant. No issuer may have it for a name. */
export const CERTIFICATES = "spiffe";
