export type { Act } from "./act.ts";
export { createAuthenticate } from "./authenticate.ts";
export { createBearers } from "./bearers.ts";
export {
  type Caller,
  FIRST_TENANT,
  hasRole,
  keyHash,
  newKey,
  ROLES,
  type Role,
  requireAnyRole,
  requireBinding,
  requireRole,
} from "./caller.ts";
export { createCallers } from "./callers.ts";
export { createCertificates } from "./certificates.ts";
export type { Credentials, Evidence } from "./evidence.ts";
export { givingRole, peopleAmong, presently, type Remembered } from "./hands.ts";
export { createIdentities, type Identities } from "./identities.ts";
export type { IdentityPages, IdentityStore, Loaded, StoredSigningKey } from "./identity-store.ts";
export { createIssuerKeys } from "./issuer-keys.ts";
export { ALGORITHMS, checkBinding, checkIssuer } from "./issuer-rules.ts";
export { type ChangedRows, createKeeping, type KeepingRooms } from "./keeping.ts";
export {
  createVouch,
  FORWARDED_HEADER,
  type Mesh,
  type Peer,
  plainPeer,
  type Shown,
  type Vouched,
} from "./peer.ts";
export { createPrincipals, type ProvedPrincipal } from "./principals.ts";
export { createProven, type Stranger } from "./proven.ts";
export { createRates, type Rates } from "./rates.ts";
export {
  endedBecause,
  type Link,
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
export { type Binding, type Issuer, PROFILES, type Trust, USES } from "./trust.ts";
export { warmUpTokens } from "./warm-up.ts";
