import { timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import { fullBucket, giveBack, takeToken } from "../foundation/token-bucket.ts";
import { type Caller, keyFrom, keyHash } from "./caller.ts";
import type { IdentityStore, Loaded } from "./identity-store.ts";
import type { Keeping } from "./keeping.ts";

const CALLERS_MAX = 10_000;
const STRANGERS_MAX = 10_000;
/** A key that was proposed by its hash may be tried before others have agreed to it. */
const STRANGER_MS = 5_000;
// The burst is for a new replica, to which a whole fleet comes at once.
const strangerRate = { perSecond: limits.unknownKeysPerSecondMax, burst: 10 * limits.unknownKeysPerSecondMax };

function unknownKey(): Fault {
  return new Fault("unauthenticated", "token_invalid", "the API key is unknown or revoked", {
    field: "authorization",
    fix: "check the key; an owner makes one with `remit keys create`",
  });
}

function tooManyStrangers(): Fault {
  return new Fault("exhausted", "overloaded", "too many unknown API keys are tried at once", {
    limit: `${limits.unknownKeysPerSecondMax} a second`,
    fix: "ask again later",
  });
}

/**
 * Looks keys up that nothing is known of. One that turns out to be nobody's is remembered, for some seconds, since a key is
 * as a rule in the store before its owner has it; and only so many of them are looked up in a second, so that strangers cannot
 * keep the store busy. While they try, a key that is new here may be told to come back.
 */
function createFirstLookUp(store: Pick<IdentityStore, "callerByKeyHash">, clock: Clock) {
  // By the time until which it is remembered.
  const strangers = new LRUCache<string, number>({ max: STRANGERS_MAX });
  const bucket = fullBucket(strangerRate, clock.now());
  const under = new Map<string, Promise<Loaded<Caller> | null>>();
  const lookUp = async (hash: Buffer, name: string): Promise<Loaded<Caller> | null> => {
    const found = await store.callerByKeyHash(hash);
    if (found) giveBack(bucket, strangerRate);
    else strangers.set(name, clock.now() + STRANGER_MS);
    return found;
  };
  return (hash: Buffer, name: string): Promise<Loaded<Caller> | null> => {
    if (clock.now() < (strangers.get(name) ?? Number.NEGATIVE_INFINITY)) throw unknownKey();
    const shared = under.get(name);
    if (shared) return shared;
    if (takeToken(bucket, strangerRate, clock.now()) > 0) throw tooManyStrangers();
    const started = lookUp(hash, name).finally(() => under.delete(name));
    under.set(name, started);
    return started;
  };
}

interface FoundCaller extends Loaded<Caller> {
  readonly hash: Buffer;
}

/** Callers by their keys. `told`: by their ids. */
export function createCallers(rooms: {
  readonly store: Pick<IdentityStore, "callerByKeyHash">;
  readonly keeping: Keeping;
  readonly clock: Clock;
}) {
  const { store, keeping, clock } = rooms;
  const firstLookUp = createFirstLookUp(store, clock);
  const callers = keeping.keep<FoundCaller>({
    max: CALLERS_MAX,
    namesOf: ({ row }) => [row.id],
    raise: (entry, security) => ({ ...entry, security }),
  });
  // A workload sends the same header with every call; hashing it each time would be a twentieth of a decision.
  const hashes = new LRUCache<string, { readonly hash: Buffer; readonly name: string }>({ max: CALLERS_MAX });
  const hashOf = (authorization: string | undefined) => {
    const known = hashes.get(authorization ?? "");
    if (known) return known;
    const hash = keyHash(keyFrom(authorization));
    return { hash, name: hash.toString("base64") };
  };
  const find = (authorization: string | undefined, anew: boolean): Loaded<Caller> | Promise<Loaded<Caller>> => {
    const hashed = hashOf(authorization);
    const { hash, name } = hashed;
    const known = callers.has(name);
    const read = async (): Promise<FoundCaller | null> => {
      const found = await (known ? store.callerByKeyHash(hash) : firstLookUp(hash, name));
      return found && { ...found, hash };
    };
    const checked = (entry: FoundCaller | null): FoundCaller => {
      if (!entry || !timingSafeEqual(entry.hash, hash) || entry.row.revoked) throw unknownKey();
      // Only what a caller was found by is kept: strangers' headers push nobody's out.
      hashes.set(authorization ?? "", hashed);
      return entry;
    };
    const answer = callers.find(name, read, anew);
    return answer instanceof Promise ? answer.then(checked) : checked(answer);
  };
  return { find, told: callers.told, clear: callers.clear };
}
