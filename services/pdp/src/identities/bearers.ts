import { LRUCache } from "lru-cache";
import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { fullBucket, giveBack, takeToken } from "../foundation/token-bucket.ts";
import type { Caller } from "./caller.ts";
import { readCompact, saidIssuer } from "./compact-jwt.ts";
import type { Evidence } from "./evidence.ts";
import type { IdentityStore, Loaded } from "./identity-store.ts";
import type { IssuerKeys, KeySet, KeySource } from "./issuer-keys.ts";
import { faultOf, JwtRefused } from "./jwt-refused.ts";
import { notBound, type Proven } from "./proven.ts";
import type { Issuer, Trust } from "./trust.ts";
import { verifyJwt } from "./verify-jwt.ts";

const TOKENS_MAX = 20_000;
const TOKENS_BYTES_MAX = 64 * 1024 * 1024;
const ENTRY_BYTES = 1024;
const strangerRate = { perSecond: limits.unknownTokensPerSecondMax, burst: 10 * limits.unknownTokensPerSecondMax };

/** A token that was found true, and under what: it counts while all of that is as it was. */
interface Known {
  readonly issuer: Issuer;
  readonly source: KeySource;
  readonly keys: KeySet;
  readonly evidence: Evidence & { readonly expiresAtMs: number };
  readonly caller: Loaded<Caller>;
}

interface Rooms {
  readonly store: Pick<IdentityStore, "issuersOf">;
  readonly proven: Proven;
  readonly keys: IssuerKeys;
  readonly fresh: (entry: Loaded<Caller>) => boolean;
  /** What tokens' times are compared with. */
  readonly clock: Clock;
  /** Monotonic: what counts how often strangers ask. */
  readonly uptime: Clock;
}

function bearerOf(authorization: string): string {
  const [scheme, token, ...rest] = authorization.trim().split(/ +/);
  if (scheme?.toLowerCase() === "bearer" && token !== undefined && rest.length === 0) return token;
  throw new JwtRefused("invalid", "the authorization header holds neither an API key nor a token");
}

/** The one issuer of the cell that a token may be of. Two would be two readings of one token: then it is nobody's. */
async function issuerOf(
  token: ReturnType<typeof readCompact>,
  { store, proven }: Rooms,
): Promise<[Issuer, Loaded<Trust>]> {
  const { issuers, audiences } = saidIssuer(token);
  const named = issuers.length && audiences.length ? await store.issuersOf(issuers, audiences) : [];
  const [only, ...more] = named;
  if (only === undefined || more.length > 0) {
    throw new JwtRefused("invalid", "no issuer is trusted here for the token's iss and aud");
  }
  const trust = await proven.trust(only.tenant, true);
  const issuer = trust.row.issuers.find(({ name }) => name === only.name);
  if (!issuer) throw new JwtRefused("invalid", "no issuer is trusted here for the token's iss and aud");
  if (issuer.use === "principals") {
    throw new JwtRefused("invalid", "the token says for whom a session is, not who calls");
  }
  return [issuer, trust];
}

const sameIssuer = (one: Issuer | undefined, other: Issuer) =>
  one === other || JSON.stringify(one) === JSON.stringify(other);

function tooManyStrangers(): Fault {
  return new Fault("exhausted", "overloaded", "too many unknown tokens are tried at once", {
    limit: `${limits.unknownTokensPerSecondMax} a second`,
    fix: "ask again later",
  });
}

/**
 * Callers by the tokens of their tenants' issuers. A token is verified once: at every further use nothing is computed,
 * only its time, its issuer's keys and the tenant's security revision are compared.
 */
export function createBearers(rooms: Rooms) {
  const { proven, keys, fresh, clock, uptime } = rooms;
  const known = new LRUCache<string, Known>({
    max: TOKENS_MAX,
    maxSize: TOKENS_BYTES_MAX,
    sizeCalculation: (_known, header) => header.length + ENTRY_BYTES,
  });
  const bucket = fullBucket(strangerRate, uptime.now());
  const under = new Map<string, Promise<Known>>();

  const verify = async (authorization: string): Promise<Known> => {
    const token = bearerOf(authorization);
    const compact = readCompact(token);
    const [issuer, trust] = await issuerOf(compact, rooms);
    const source = keys.of(issuer);
    const verified = await verifyJwt(token, compact, issuer, source, clock.now());
    const { subject, groups, person, expiresAtMs } = verified.said;
    const kind = issuer.use === "people" ? "person" : "jwt";
    const from = { tenant: issuer.tenant, kind, source: issuer.name, issuer: issuer.issuer } as const;
    const evidence = { ...from, subject, groups, person, expiresAtMs };
    const caller = await proven.callerUnder(trust, evidence, true);
    if (!caller) throw notBound(evidence);
    return { issuer, source, keys: verified.keys, evidence, caller };
  };

  /** Verifies a token that nothing is known of. All who send it at once share that, and strangers do not get far. */
  const first = (authorization: string): Promise<Known> => {
    const shared = under.get(authorization);
    if (shared) return shared;
    if (takeToken(bucket, strangerRate, uptime.now()) > 0) throw tooManyStrangers();
    const started = verify(authorization)
      .then((found) => {
        giveBack(bucket, strangerRate);
        known.set(authorization, found);
        return found;
      })
      .finally(() => under.delete(authorization));
    under.set(authorization, started);
    return started;
  };

  /** What is known of a token, under what its tenant says now; undefined when it has to be verified anew. */
  const again = async (before: Known, anew: boolean): Promise<Known | undefined> => {
    const { evidence, issuer, source } = before;
    const trust = await proven.trust(evidence.tenant, anew);
    const now = trust.row.issuers.find(({ name }) => name === issuer.name);
    if (!sameIssuer(now, issuer) || source.current() !== before.keys) return undefined;
    const caller = await proven.callerUnder(trust, evidence, anew);
    if (!caller) throw notBound(evidence);
    return { ...before, caller };
  };

  const slowly = async (authorization: string, before: Known | undefined, anew: boolean): Promise<Loaded<Caller>> => {
    try {
      const found = (before && (await again(before, anew))) ?? (await first(authorization));
      known.set(authorization, found);
      return found.caller;
    } catch (error) {
      known.delete(authorization);
      throw faultOf("authorization", error);
    }
  };

  return async (authorization: string, anew: boolean): Promise<Loaded<Caller>> => {
    const entry = known.get(authorization);
    if (entry && clock.now() >= entry.evidence.expiresAtMs) {
      known.delete(authorization);
      throw faultOf("authorization", new JwtRefused("expired", "the token has expired"));
    }
    if (entry && !anew && fresh(entry.caller) && entry.source.current() === entry.keys) return entry.caller;
    return slowly(authorization, entry, anew);
  };
}
