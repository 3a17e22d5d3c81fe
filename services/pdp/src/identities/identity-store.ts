import type { Caller } from "./caller.ts";
import type { Evidence } from "./evidence.ts";
import type { Session } from "./session.ts";
import type { Binding, Issuer, Trust } from "./trust.ts";

/** A row, and the tenant's security revision that held when it was read. */
export interface Loaded<Row> {
  readonly row: Row;
  readonly security: bigint;
}

/** A signing key as the store holds it: its private half wrapped. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly publicJwk: Readonly<Record<string, string>>;
  readonly wrappedPrivate: Uint8Array;
  /** Id of the wrapping key. */
  readonly wrappedBy: string;
  readonly createdAtMs: number;
}

/** A session, and the names of the signing keys that lived when it was read, newest first. */
export interface LoadedSession extends Loaded<Session> {
  readonly signers: readonly string[];
}

/** What the room reads. What changes it goes through the recorded changes of `decisions/`. */
export interface IdentityStore {
  /** The caller whose key has this hash, revoked ones too, or null. */
  callerByKeyHash(hash: Uint8Array): Promise<Loaded<Caller> | null>;
  /** The caller that somebody else's word is on, revoked ones too, or null. Its rights are none: bindings give them. */
  callerBySubject(
    tenant: string,
    kind: Evidence["kind"],
    issuer: string,
    subject: string,
  ): Promise<Loaded<Caller> | null>;
  /** The issuers of the cell, at most 2, that have one of these for their `iss` and one of these for an audience. */
  issuersOf(
    issuers: readonly string[],
    audiences: readonly string[],
  ): Promise<{ readonly tenant: string; readonly name: string }[]>;
  /** The tenant that was given the longest of these prefixes, longest first, else the first tenant. */
  tenantOfWorkload(prefixes: readonly string[]): Promise<Loaded<{ readonly tenant: string }>>;
  /**
   * What a tenant says of who is to be believed; of an unknown tenant nothing. Where that is what it said when `known` was
   * read, `known` itself: it is not read again, at whatever revision it is.
   */
  trust(tenant: string, known?: Trust): Promise<Loaded<Trust>>;
  callers(tenant: string): Promise<Caller[]>;
  session(tenant: string, id: string): Promise<LoadedSession | null>;
  sessionByRun(tenant: string, openedBy: string, agent: string, runId: string): Promise<Session | null>;
  /** Keys not retired, newest first. */
  signingKeys(): Promise<StoredSigningKey[]>;
  /** Stores the key unless there is one already; answers what then is there, newest first. */
  addFirstSigningKey(key: StoredSigningKey): Promise<StoredSigningKey[]>;
}

/**
 * Who there is and who is believed, for whoever looks: those of a tenant after the one that is named, at most so many. Each
 * that is there all the while is met once by whoever goes on after the last one.
 */
export interface IdentityPages {
  /** By id, which is the order in which they were made. */
  callers(tenant: string, after: string | undefined, most: number): Promise<Caller[]>;
  /** By name. */
  issuers(tenant: string, after: string | undefined, most: number): Promise<Issuer[]>;
  /** By name. */
  bindings(tenant: string, after: string | undefined, most: number): Promise<Binding[]>;
}
