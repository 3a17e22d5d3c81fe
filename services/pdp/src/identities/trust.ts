import type { Caller, Role } from "./caller.ts";
import type { Evidence } from "./evidence.ts";
import { subjectMatches } from "./subject-glob.ts";

export const PROFILES = ["oidc", "kubernetes", "spiffe"] as const;
export type Profile = (typeof PROFILES)[number];

export const USES = ["workloads", "principals", "people"] as const;
/** What an issuer's tokens say: which workload calls, which principal a session is for, or which person administers. */
export type Use = (typeof USES)[number];

/** Which claims say what: each a name, or a JSON Pointer (RFC 6901) when it begins with `/`. */
export interface ClaimMapping {
  readonly subject?: string;
  readonly groups?: string;
  /** Labels of a principal, by the claim that holds each. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Whose tokens a tenant trusts, and for what. */
export interface Issuer {
  readonly tenant: string;
  readonly name: string;
  readonly profile: Profile;
  readonly use: Use;
  /** The `iss` of its tokens; for SPIFFE the id of the trust domain. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Where its keys are. Without it and without `jwks` its discovery document says where. */
  readonly jwksUri: string | undefined;
  /** Its keys themselves: a JWK Set (RFC 7517). */
  readonly jwks: Readonly<Record<string, unknown>> | undefined;
  readonly algorithms: readonly string[];
  readonly claims: ClaimMapping;
  readonly tokenSecondsMax: number;
  readonly sessionSecondsMax: number;
  /** What the ids of its principals begin with. */
  readonly principalPrefix: string;
}

/** What evidence gives which rights. */
export interface Binding {
  readonly name: string;
  /** The name of an issuer, or `spiffe` for certificates. */
  readonly issuer: string;
  /** A glob: see `subjectMatches`. */
  readonly subject: string | undefined;
  /** Exactly one of the evidence's groups. With a subject, both must match. */
  readonly group: string | undefined;
  readonly agents: readonly string[];
  readonly mayAssertPrincipals: boolean;
  readonly roles: readonly Role[];
}

/** Everything a tenant says of who is to be believed, as it stood at one moment. */
export interface Trust {
  readonly tenant: string;
  readonly issuers: readonly Issuer[];
  readonly bindings: readonly Binding[];
}

/** What a caller may do. */
export type Rights = Pick<Caller, "agents" | "mayAssertPrincipals" | "roles">;

function applies({ issuer, subject, group }: Binding, evidence: Evidence): boolean {
  if (issuer !== evidence.source) return false;
  if (subject === undefined && group === undefined) return false;
  if (group !== undefined && !evidence.groups.includes(group)) return false;
  return subject === undefined || subjectMatches(subject, evidence.subject);
}

/** The names of the bindings that match now. */
export function bindingsFor({ bindings }: Pick<Trust, "bindings">, evidence: Evidence): string[] {
  return bindings.filter((binding) => applies(binding, evidence)).map(({ name }) => name);
}

/** What the bindings give that match now, together; undefined when none does. */
export function rightsOf({ bindings }: Pick<Trust, "bindings">, evidence: Evidence): Rights | undefined {
  const matching = bindings.filter((binding) => applies(binding, evidence));
  if (matching.length === 0) return undefined;
  return {
    agents: [...new Set(matching.flatMap(({ agents }) => agents))],
    mayAssertPrincipals: matching.some(({ mayAssertPrincipals }) => mayAssertPrincipals),
    roles: [...new Set(matching.flatMap(({ roles }) => roles))],
  };
}
