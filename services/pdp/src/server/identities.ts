import type { Clock } from "../foundation/clock.ts";
import {
  createAuthenticate,
  createCallers,
  createCertificates,
  createIdentities,
  createKeeping,
  createProven,
  type createTokens,
  FIRST_TENANT,
  type Identities,
  type IdentityStore,
  type KeepingRooms,
  type Stranger,
} from "../identities/index.ts";

const SESSIONS_MAX = 100_000;

interface Options extends KeepingRooms {
  readonly store: IdentityStore;
  readonly tokens: ReturnType<typeof createTokens>;
  /** Monotonic: what counts how often strangers ask. */
  readonly uptime: Clock;
  readonly sight: (stranger: Stranger) => Promise<void>;
}

/** Who there is, and every way in which somebody proves to be it. */
export function openIdentities({ store, tokens, security, catchUp, uptime, sight }: Options): Identities {
  const keeping = createKeeping({ security, catchUp });
  const { fresh } = keeping;
  const proven = createProven({ store, fresh, sight });
  const keys = createCallers({ store, keeping, clock: uptime });
  const authenticate = createAuthenticate({
    certificate: createCertificates({ proven, fresh, tenantOf: () => FIRST_TENANT }),
    key: keys.find,
  });
  return createIdentities({
    ...{ store, tokens, keeping, sessionsMax: SESSIONS_MAX, authenticate, trust: proven.trust },
    keptCallers: [keys],
  });
}
