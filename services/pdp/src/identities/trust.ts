import type { Pause } from "../foundation/in-slices.ts";
import type { Caller, Role } from "./caller.ts";
import type { Evidence } from "./evidence.ts";
import { isMeant, subjectOf } from "./subject-glob.ts";

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

/** What evidence meets of a tenant's bindings. */
export interface Met {
  /** What they give together. */
  readonly rights: Rights;
  /** Their names. */
  readonly bindings: readonly string[];
}

/** Characters of globs that are compared between two pauses, and what a binding counts besides. */
const CHARS_AT_ONCE_MAX = 16 * 1024;
const BINDING_CHARS = 32;
/** Unions that are kept of one list of bindings: as a rule its callers meet the same few. */
const UNIONS_MAX = 256;

const unions = new WeakMap<readonly Binding[], Map<string, Met>>();

/** What the bindings at these places give together: the same object for the same ones, with all that is kept beside it. */
function unionOf(bindings: readonly Binding[], places: readonly number[]): Met {
  let known = unions.get(bindings);
  if (!known || known.size >= UNIONS_MAX) {
    known = new Map();
    unions.set(bindings, known);
  }
  const key = places.join();
  const found = known.get(key);
  if (found) return found;
  const matching = places.flatMap((place) => bindings[place] ?? []);
  const rights = {
    agents: [...new Set(matching.flatMap(({ agents }) => agents))],
    mayAssertPrincipals: matching.some(({ mayAssertPrincipals }) => mayAssertPrincipals),
    roles: [...new Set(matching.flatMap(({ roles }) => roles))],
  };
  const met = { rights, bindings: matching.map(({ name }) => name) };
  known.set(key, met);
  return met;
}

/** The bindings that match now and what they give; undefined when none does. Awaits `pause` where there is much to compare. */
export async function metBy(
  { bindings }: Pick<Trust, "bindings">,
  evidence: Evidence,
  pause: Pause,
): Promise<Met | undefined> {
  const groups = new Set(evidence.groups);
  const subject = subjectOf(evidence.subject);
  const places: number[] = [];
  let chars = 0;
  for (const [place, { issuer, subject: glob, group }] of bindings.entries()) {
    chars += BINDING_CHARS;
    if (chars > CHARS_AT_ONCE_MAX) {
      chars = 0;
      await pause();
    }
    if (issuer !== evidence.source || (glob === undefined && group === undefined)) continue;
    if (group !== undefined && !groups.has(group)) continue;
    chars += glob?.length ?? 0;
    if (glob === undefined || isMeant(glob, subject)) places.push(place);
  }
  return places.length === 0 ? undefined : unionOf(bindings, places);
}
