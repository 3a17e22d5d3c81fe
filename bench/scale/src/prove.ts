import pg from "pg";
import { systemClock } from "../../../services/pdp/src/foundation/clock.ts";
import { systemRandom } from "../../../services/pdp/src/foundation/ids.ts";
import { wrappingKey } from "../../../services/pdp/src/foundation/key-wrap.ts";
import { openSigningKeys } from "../../../services/pdp/src/identities/signing-keys.ts";
import { createTokens } from "../../../services/pdp/src/identities/tokens.ts";
import { createIdentityStore } from "../../../services/pdp/src/stores/identities.ts";
import type { Proved } from "./ask.ts";
import type { House } from "./house.ts";

/**
 * Tokens for sessions of the store, signed by the very key that the service signs with: renewing 100,000 sessions
 * through the front door would fill the caches that are to be measured.
 */
export async function prove(
  { postgres, keyEncryptionKey }: House,
  like: string,
  ids: readonly string[],
): Promise<Proved[]> {
  const pool = new pg.Pool({ connectionString: postgres.runtimeUrl, max: 2 });
  try {
    const clock = systemClock;
    const store = createIdentityStore(pool);
    const wrapping = { current: wrappingKey(Buffer.from(keyEncryptionKey, "base64")), previous: undefined };
    const keys = await openSigningKeys({ store, wrapping, random: systemRandom(), clock });
    const tokens = createTokens({ keys, clock });
    const session = (await store.session("default", like))?.row;
    if (!session) throw new Error("the session that the others are like is gone");
    const proved: Proved[] = [];
    for (const id of ids) proved.push({ id, token: (await tokens.issue({ ...session, id })).token });
    return proved;
  } finally {
    await pool.end();
  }
}
