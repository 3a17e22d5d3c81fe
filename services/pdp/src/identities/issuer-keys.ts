import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { LRUCache } from "lru-cache";
import type { Clock } from "../foundation/clock.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import { fullBucket, takeToken } from "../foundation/token-bucket.ts";
import { countValues } from "../foundation/values.ts";
import type { Issuer, Profile } from "./trust.ts";

const ISSUERS_MAX = 10_000;
// A new key is asked for at once, made-up ones not for ever.
const fetchRate = { perSecond: 1 / limits.jwksFetchEverySeconds, burst: 3 };

/** An issuer's keys as they were read once. What was verified by them counts while they are the ones that are held. */
export interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  /** Their names. */
  readonly kids: ReadonlySet<unknown>;
}

/** Where an issuer's keys come from. */
export interface KeySource {
  /** The keys that are held; undefined when there are none yet, or nobody could read them for too long. */
  current(): KeySet | undefined;
  /** Reads them again, unless that was done just now. Answers false when it was not or could not be. */
  refresh(): Promise<boolean>;
}

export interface IssuerKeys {
  of(issuer: Issuer): KeySource;
}

interface Options {
  /** Reads a document of an issuer. Throws for whatever is no plain, short and quick answer. */
  readonly fetchText: (url: string) => Promise<string>;
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: Log;
}

const KINDS = new Set(["RSA", "EC", "OKP"]);

/** What of a key (RFC 7517, RFC 7518, RFC 8037) anybody here looks at: the rest may be long, and is copied by nobody. */
const MEMBERS = ["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e"] as const;

const membersOf = (key: object): Record<string, unknown> =>
  Object.fromEntries(MEMBERS.flatMap((name) => (Object.hasOwn(key, name) ? [[name, (key as never)[name]]] : [])));

/** The keys of a JWK Set (RFC 7517) that may verify; throws for what is none. */
export function keySetFrom(parsed: unknown, profile: Profile): KeySet {
  const { keys } = (parsed ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("the document is no JWK Set");
  if (keys.length > limits.jwksKeysMax) throw new Error(`the JWK Set has more than ${limits.jwksKeysMax} keys`);
  // What a SPIFFE bundle calls by its own names: keys for certificates verify no token.
  const usable = keys.flatMap((key: unknown) => {
    if (typeof key !== "object" || key === null) return [];
    const { use, ...jwk } = membersOf(key);
    if (typeof jwk.kty !== "string" || !KINDS.has(jwk.kty)) return [];
    if (profile === "spiffe" && use === "jwt-svid") return [jwk];
    return [{ ...jwk, ...(use !== undefined && { use }) }];
  });
  const kids = new Set(usable.map((key) => (key as Record<string, unknown>).kid));
  return { find: createLocalJWKSet({ keys: usable } as JSONWebKeySet), kids };
}

/** A document of an issuer, whose values are counted before any of them is made. */
function documentFrom(text: string): unknown {
  if (countValues(Buffer.from(text), limits.issuerDocumentValuesMax) > limits.issuerDocumentValuesMax) {
    throw new Error(`the document has more than ${limits.issuerDocumentValuesMax} values`);
  }
  return JSON.parse(text);
}

/** The address of the keys, by the issuer's own discovery document (OpenID Connect Discovery 1.0, section 4). */
async function discover(issuer: string, fetchText: Options["fetchText"]): Promise<string> {
  const text = await fetchText(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const found = documentFrom(text) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (found.issuer !== issuer) throw new Error("the discovery document is another issuer's");
  if (typeof found.jwks_uri !== "string") throw new Error("the discovery document names no jwks_uri");
  return found.jwks_uri;
}

function remoteSource(
  { issuer, jwksUri, profile, name, tenant }: Issuer,
  { fetchText, clock, log }: Options,
): KeySource {
  let held: { readonly set: KeySet; readonly text: string; readonly atMs: number } | undefined;
  let under: Promise<boolean> | undefined;
  const bucket = fullBucket(fetchRate, clock.now());
  const ageMs = () => clock.now() - (held?.atMs ?? Number.NEGATIVE_INFINITY);

  const read = async (): Promise<boolean> => {
    const atMs = clock.now();
    try {
      const text = await fetchText(jwksUri ?? (await discover(issuer, fetchText)));
      // The same keys stay the same set: whatever they verified stays verified.
      held = { set: text === held?.text ? held.set : keySetFrom(documentFrom(text), profile), text, atMs };
      return true;
    } catch (error) {
      log.warn(
        { tenant, issuer: name, error },
        "an issuer's keys cannot be read; those known are believed for a while",
      );
      return false;
    }
  };
  const refresh = (): Promise<boolean> => {
    if (under) return under;
    if (takeToken(bucket, fetchRate, clock.now()) > 0) return Promise.resolve(false);
    under = read().finally(() => {
      under = undefined;
    });
    return under;
  };
  return {
    current() {
      const age = ageMs();
      if (age > limits.jwksStaleSeconds * 1000) return undefined;
      if (age > limits.jwksFreshSeconds * 1000) void refresh();
      return held?.set;
    },
    refresh,
  };
}

/** The keys of every issuer that was asked for, each read once and again when it grows old or a key is missing. */
export function createIssuerKeys(options: Options): IssuerKeys {
  const sources = new LRUCache<string, KeySource>({ max: ISSUERS_MAX });
  // A set of keys is long, and writing it down for each token would take longer than verifying one.
  const known = new WeakMap<Issuer, KeySource>();
  const open = (issuer: Issuer): KeySource => {
    if (!issuer.jwks) return remoteSource(issuer, options);
    const set = keySetFrom(issuer.jwks, issuer.profile);
    return { current: () => set, refresh: async () => true };
  };
  return {
    of(issuer) {
      const held = known.get(issuer);
      if (held) return held;
      const { tenant, name, profile, jwksUri, jwks } = issuer;
      const key = JSON.stringify([tenant, name, profile, issuer.issuer, jwksUri, jwks]);
      let source = sources.get(key);
      if (!source) {
        source = open(issuer);
        sources.set(key, source);
      }
      known.set(issuer, source);
      return source;
    },
  };
}
