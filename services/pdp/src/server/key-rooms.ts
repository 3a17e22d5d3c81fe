import { type Custody, createCustody, type MakeChange } from "../decisions/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Random } from "../foundation/ids.ts";
import type { WrappingKeys } from "../foundation/key-wrap.ts";
import type { Log } from "../foundation/log.ts";
import { createTokens, FIRST_TENANT, type IdentityStore, openSigningKeys } from "../identities/index.ts";
import { createCustodyStore } from "../stores/custody.ts";
import { reading } from "../stores/reading.ts";
import type { Store } from "./store.ts";
import { checkWrapped } from "./wrapping-key.ts";

interface Options {
  readonly store: Store;
  readonly identityStore: IdentityStore;
  readonly wrapping: WrappingKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: (nowMs: number) => string;
}

/** The signing keys, what signs with them, and who keeps them. Fails where the wrapping keys do not fit the store. */
export async function openKeyRooms({ store, identityStore, wrapping, clock, random, newId }: Options) {
  const custodyStore = reading(createCustodyStore(store.pool, identityStore));
  await checkWrapped(custodyStore, wrapping);
  const signingKeys = await openSigningKeys({ store: identityStore, wrapping, random, clock });
  const held = { store: custodyStore, signingKeys, wrapping, clock, random, newId };
  return {
    signingKeys,
    tokens: createTokens({ keys: signingKeys, clock }),
    custody: (change: MakeChange, replica: string): Custody =>
      createCustody({ ...held, change, self: { id: replica, name: "remit", tenant: FIRST_TENANT } }),
  };
}

const TEND_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Rotates the signing key when it is of age: now, and every hour. Answers how to stop. */
export async function tendSigningKeys(custody: Custody, days: number, log: Log): Promise<() => void> {
  const tend = () =>
    custody.tend(days * DAY_MS).catch((error: unknown) => {
      log.warn({ error }, "the signing keys could not be tended; they will be in an hour");
    });
  await tend();
  const timer = setInterval(tend, TEND_EVERY_MS).unref();
  return () => clearInterval(timer);
}
