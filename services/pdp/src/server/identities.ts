import type { Clock } from "../foundation/clock.ts";
import {
  createAuthenticate,
  createCallers,
  createCertificates,
  createIdentities,
  createProven,
  type createTokens,
  FIRST_TENANT,
  type Identities,
  type IdentityStore,
  type Loaded,
  type Stranger,
} from "../identities/index.ts";

const SESSIONS_MAX = 100_000;

interface Options {
  readonly store: IdentityStore;
  readonly tokens: ReturnType<typeof createTokens>;
  /** The tenant's security revision as this process knows it. */
  readonly security: (tenant: string) => bigint;
  /** Monotonic: what counts how often strangers ask. */
  readonly uptime: Clock;
  readonly sight: (stranger: Stranger) => Promise<void>;
}

/** Who there is, and every way in which somebody proves to be it. */
export function openIdentities({ store, tokens, security, uptime, sight }: Options): Identities {
  const fresh = (entry: Loaded<{ readonly tenant: string }>) => entry.security >= security(entry.row.tenant);
  const proven = createProven({ store, fresh, sight });
  const authenticate = createAuthenticate({
    certificate: createCertificates({ proven, fresh, tenantOf: () => FIRST_TENANT }),
    key: createCallers({ store, fresh, clock: uptime }),
  });
  return createIdentities({ store, tokens, security, sessionsMax: SESSIONS_MAX, authenticate });
}
