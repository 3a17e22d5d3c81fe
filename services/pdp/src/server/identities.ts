import type { Config } from "../config/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Log } from "../foundation/log.ts";
import {
  createAuthenticate,
  createBearers,
  createCallers,
  createCertificates,
  createIdentities,
  createIssuerKeys,
  createKeeping,
  createPrincipals,
  createProven,
  type createTokens,
  type Identities,
  type IdentityStore,
  type KeepingRooms,
  type Stranger,
} from "../identities/index.ts";
import { createIssuerFetch } from "./issuer-fetch.ts";

const SESSIONS_MAX = 100_000;

interface Options extends KeepingRooms {
  readonly config: Pick<Config, "mode" | "issuerNetwork">;
  readonly store: IdentityStore;
  readonly tokens: ReturnType<typeof createTokens>;
  /** What the times of tokens are compared with. */
  readonly clock: Clock;
  /** Monotonic: what counts how often strangers ask, and how old keys are. */
  readonly uptime: Clock;
  readonly log: Log;
  readonly sight: (stranger: Stranger) => Promise<void>;
}

/** Who there is, and every way in which somebody proves to be it. */
export function openIdentities(options: Options): Identities {
  const { config, store, tokens, security, catchUp, clock, uptime, log, sight } = options;
  const keeping = createKeeping({ security, catchUp });
  const { fresh } = keeping;
  const proven = createProven({ store, keeping, sight });
  const fetchText = createIssuerFetch({ network: config.issuerNetwork, loopback: config.mode === "development" });
  const issuerKeys = createIssuerKeys({ fetchText, clock: uptime, log });
  const keys = createCallers({ store, keeping, clock: uptime });
  const authenticate = createAuthenticate({
    certificate: createCertificates({ proven, store, fresh }),
    token: createBearers({ store, proven, keys: issuerKeys, fresh, clock, uptime }),
    key: keys.find,
  });
  const provePrincipal = createPrincipals({ proven, keys: issuerKeys, clock });
  return createIdentities({
    ...{ store, tokens, keeping, sessionsMax: SESSIONS_MAX, authenticate, provePrincipal, trust: proven.trust },
    keptCallers: [keys, proven.kept],
  });
}
