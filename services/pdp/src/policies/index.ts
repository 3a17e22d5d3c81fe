export { WHOLE_BASIS_POINTS } from "./canary.ts";
export type {
  Activation,
  ActivePolicy,
  DocumentKind,
  Fingerprint,
  Fingerprinted,
  Maker,
  PastActivation,
  PolicyStore,
  PolicyVersion,
  Registered,
  Revisions,
  RolloutInfo,
  StoredPage,
  StoredPolicy,
  TenantRows,
  VersionPlace,
  VersionState,
} from "./policy-store.ts";
export { isHalted, type Revocable } from "./revoked.ts";
export { decidingFor, type RolloutSide, type Sides, sidesOf, withRollout } from "./rollout.ts";
export { schemaDigestInSlices } from "./schema-digest.ts";
export {
  type BreakerDefaults,
  type MatchLabels,
  QUOTAS,
  type QuotaName,
  type Quotas,
  quotaExceeded,
  quotasFrom,
  type Tenant,
  type TenantChanges,
  type TenantMode,
  type TenantSettings,
  type TenantStatus,
  tenantNotActive,
  type Unbudgeted,
} from "./settings.ts";
export { buildSnapshot, requireUsable, revisionReached, type Snapshot } from "./snapshot.ts";
export { createSnapshots, type Snapshots } from "./snapshots.ts";
export { STALE_WRITE_MS, stalePolicy, tooStale } from "./staleness.ts";
