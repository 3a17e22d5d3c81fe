export {
  type Caller,
  FIRST_TENANT,
  hasRole,
  keyHash,
  newKey,
  ROLES,
  type Role,
  requireBinding,
  requireRole,
} from "./caller.ts";
export { createIdentities, type Identities } from "./identities.ts";
export type { IdentityStore, StoredSigningKey } from "./identity-store.ts";
export { createRates, type Rates } from "./rates.ts";
export {
  endedBecause,
  type Link,
  type Principal,
  rootOf,
  type Session,
  type SessionState,
  stateAt,
} from "./session.ts";
export {
  makeSigningKey,
  openSigningKeys,
  outlivedAtMs,
  type SigningKeys,
  signingKeyPurpose,
} from "./signing-keys.ts";
export { createTokens } from "./tokens.ts";
