import type { JsonObject } from "../foundation/canonical.ts";
import { limits } from "../foundation/limits.ts";
import { type Act, actFrom } from "./act.ts";
import type { Person } from "./caller.ts";
import { JwtRefused } from "./jwt-refused.ts";
import { personFrom } from "./person-token.ts";
import { parseSpiffeId } from "./spiffe-id.ts";
import type { Issuer, Profile } from "./trust.ts";

/** What a token says of its subject, once its issuer's key has proved that it says so. */
export interface Said {
  readonly subject: string;
  readonly groups: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly act: Act | undefined;
  /** Who that is, where its issuer vouches for people. */
  readonly person: Person | undefined;
  /** Whom alone it lets act for its subject (RFC 8693, `may_act`). */
  readonly mayAct: { readonly iss: unknown; readonly sub: unknown } | undefined;
  /** From when on nobody believes it, the clocks' skew included. */
  readonly expiresAtMs: number;
}

const refuse = (message: string): never => {
  throw new JwtRefused("invalid", message);
};

// RFC 9068 for access tokens; a JWT-SVID may say JWT or JOSE. What says it is something else is something else: a logout
// token, a security event, a session of ours.
const TYPES: Readonly<Record<Profile, readonly string[]>> = {
  oidc: ["jwt", "at+jwt", "application/at+jwt"],
  kubernetes: ["jwt"],
  spiffe: ["jwt", "jose"],
};

/** Refuses a header that asks to be read otherwise than its issuer's tokens are. */
export function checkHeader({ alg, typ, crit }: JsonObject, { profile, algorithms }: Issuer): void {
  if (typeof alg !== "string" || !algorithms.includes(alg)) {
    refuse(`the token is signed with ${typeof alg === "string" ? alg : "no algorithm"}, which its issuer does not use`);
  }
  if (crit !== undefined) refuse("the token has critical extensions that nobody here knows");
  if (typ !== undefined && !(typeof typ === "string" && TYPES[profile].includes(typ.toLowerCase()))) {
    refuse(`a token of type ${JSON.stringify(typ)} proves nobody here`);
  }
}

/** A claim by its name, or by a JSON Pointer (RFC 6901). */
function claimAt(payload: JsonObject, path: string): unknown {
  if (!path.startsWith("/")) return Object.hasOwn(payload, path) ? payload[path] : undefined;
  let value: unknown = payload;
  for (const raw of path.slice(1).split("/")) {
    const name = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function nameFrom(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") return refuse(`the token has no ${what}`);
  if (Buffer.byteLength(value) > limits.subjectBytesMax) {
    return refuse(`the token's ${what} is longer than ${limits.subjectBytesMax} bytes`);
  }
  if (UNPRINTABLE.test(value)) return refuse(`the token's ${what} holds characters that cannot be seen`);
  return value;
}

function groupsFrom(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const groups = typeof value === "string" ? [value] : value;
  if (!Array.isArray(groups)) return refuse("the token's groups are no list");
  if (groups.length > limits.tokenGroupsMax) return refuse(`the token names more than ${limits.tokenGroupsMax} groups`);
  return groups.map((group) => nameFrom(group, "group"));
}

function labelsFrom(payload: JsonObject, labels: Readonly<Record<string, string>>): Record<string, string> {
  const found = Object.entries(labels).flatMap(([name, path]) => {
    const value = claimAt(payload, path);
    if (value === undefined || value === null) return [];
    if (typeof value === "boolean" || typeof value === "number") return [[name, String(value)]];
    const text = nameFrom(value, path);
    if (Buffer.byteLength(text) > limits.labelBytesMax) return refuse(`${path} is longer than ${limits.labelBytesMax}`);
    return [[name, text]];
  });
  return Object.fromEntries(found);
}

/** Refuses a token that is too young, too old, or made for too long; answers when it ends. */
function endOf({ exp, iat }: JsonObject, { tokenSecondsMax }: Issuer, nowMs: number): number {
  const { clockSkewSeconds } = limits;
  const nowSeconds = nowMs / 1000;
  if (typeof exp !== "number" || !Number.isFinite(exp)) return refuse("the token does not expire");
  if (iat !== undefined && typeof iat !== "number") return refuse("the token's iat is no time");
  if (iat !== undefined && iat > nowSeconds + clockSkewSeconds) return refuse("the token was issued in the future");
  // One that does not say when it was issued was issued now, at the kindest.
  if (exp - (iat ?? nowSeconds) > tokenSecondsMax) {
    return refuse(`the token lives longer than the ${tokenSecondsMax} seconds that its issuer is believed for`);
  }
  return (exp + clockSkewSeconds) * 1000;
}

const SERVICE_ACCOUNT =
  /^system:serviceaccount:([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?)$/;

function kubernetesSubject(payload: JsonObject): { subject: string; groups: string[] } {
  const subject = nameFrom(payload.sub, "sub");
  const [, namespace, , account] = SERVICE_ACCOUNT.exec(subject) ?? refuse("the token is no service account's");
  const named = claimAt(payload, "/kubernetes.io/namespace");
  const other = claimAt(payload, "/kubernetes.io/serviceaccount/name");
  if ((named !== undefined && named !== namespace) || (other !== undefined && other !== account)) {
    refuse("the token names two service accounts");
  }
  return { subject, groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`] };
}

function spiffeSubject(payload: JsonObject, { issuer }: Issuer): { subject: string; groups: string[] } {
  const subject = nameFrom(payload.sub, "sub");
  const parsed = parseSpiffeId(subject);
  if (!parsed || parsed.path === "") return refuse("the token's sub is no SPIFFE id of a workload");
  if (parsed.id !== issuer) return refuse("the token's sub is of another trust domain");
  return { subject, groups: [] };
}

function oidcSubject(payload: JsonObject, { claims }: Issuer): { subject: string; groups: string[] } {
  const path = claims.subject ?? "sub";
  const subject = nameFrom(claimAt(payload, path), path);
  const { email_verified: verified } = payload;
  if (path === "email" && verified !== undefined && verified !== true && verified !== "true") {
    refuse("the token's email was not verified by its issuer");
  }
  return { subject, groups: groupsFrom(claimAt(payload, claims.groups ?? "groups")) };
}

/** What a verified payload says. Throws for what its issuer's profile has otherwise. */
export function saidBy(header: JsonObject, payload: JsonObject, issuer: Issuer, nowMs: number): Said {
  const { profile, claims } = issuer;
  const expiresAtMs = endOf(payload, issuer, nowMs);
  // It proves only whoever also proves the key that it names, and nobody here asks for that proof.
  if (payload.cnf !== undefined) refuse("the token is bound to a key that was not proved: send a plain bearer token");
  if (payload.events !== undefined) refuse("the token tells of an event and proves nobody");
  const who =
    profile === "kubernetes"
      ? kubernetesSubject(payload)
      : profile === "spiffe"
        ? spiffeSubject(payload, issuer)
        : oidcSubject(payload, issuer);
  const { may_act: mayAct } = payload;
  if (mayAct !== undefined && (typeof mayAct !== "object" || mayAct === null || Array.isArray(mayAct))) {
    refuse("the token's may_act is no object");
  }
  const may = mayAct as JsonObject | undefined;
  return {
    ...who,
    labels: labelsFrom(payload, claims.labels ?? {}),
    act: actFrom(payload.act),
    person: issuer.use === "people" ? personFrom(header, payload, issuer) : undefined,
    mayAct: may && { iss: may.iss, sub: may.sub },
    expiresAtMs,
  };
}
