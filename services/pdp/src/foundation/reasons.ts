import { callerReasons } from "./caller-reasons.ts";
import { changeReasons } from "./change-reasons.ts";
import { credentialReasons } from "./credential-reasons.ts";
import type { ReasonRow } from "./reason-row.ts";
import { sessionReasons } from "./session-reasons.ts";

export type { FaultKind } from "./reason-row.ts";

/**
 * Why an RPC fails instead of being answered. docs/codes.md is written from this page, and a door test provokes each
 * row: add both with a new reason.
 */
export const errorReasons = {
  ...callerReasons,
  request_invalid: {
    kinds: ["invalid"],
    means: "`field` says what is wrong with the request.",
    todo: "Change the request: asked again it fails again.",
    since: "0.1",
  },
  number_out_of_range: {
    kinds: ["invalid"],
    means: "A number that JSON readers would round.",
    todo: "Send it as a decimal string.",
    since: "0.1",
  },
  ...credentialReasons,
  role_missing: {
    kinds: ["forbidden"],
    means: "This caller does not have the role that the request takes.",
    todo: "Use a key with the role that the message names.",
    since: "0.1",
  },
  session_not_yours: {
    kinds: ["forbidden"],
    means: "Another caller opened the session.",
    todo: "Use the key that opened it.",
    since: "0.1",
  },
  report_not_yours: {
    kinds: ["forbidden"],
    means: "Another caller asked about the call, and only who asked may tell what became of it.",
    todo: "Report with the key that asked.",
    since: "0.1",
  },
  decision_unknown: {
    kinds: ["missing"],
    means: "There is no such decision for this caller, or this session.",
    todo: "Check the id, and the key or token that asks.",
    since: "0.1",
  },
  session_unknown: {
    kinds: ["missing"],
    means: "There is no such session for this caller.",
    todo: "Check the id, and the key that asks.",
    since: "0.1",
  },
  agent_unknown: {
    kinds: ["missing"],
    means: "No agent of that name is registered.",
    todo: "Register it: a document of kind Agent.",
    since: "0.1",
  },
  tool_unknown: {
    kinds: ["missing"],
    means: "No tool of that name is registered.",
    todo: "Register it: a document of kind Tool.",
    since: "0.1",
  },
  budget_unknown: {
    kinds: ["missing"],
    means: "No budget of that name is declared.",
    todo: "List the budgets; declare one: a document of kind Budget.",
    since: "0.1",
  },
  account_unknown: {
    kinds: ["missing"],
    means: "The tenant has no such account, or its window is over.",
    todo: "List the accounts of its budget.",
    since: "0.1",
  },
  hold_unknown: {
    kinds: ["missing"],
    means: "Nothing is held under that id: it was reported on, its time is over, or it never was.",
    todo: "List what is held.",
    since: "0.1",
  },
  group_unknown: {
    kinds: ["missing"],
    means: "No group of that name is declared.",
    todo: "List the groups; declare one: a document of kind Group.",
    since: "0.1",
  },
  policy_unknown: {
    kinds: ["missing"],
    means: "No such version of a policy was published, or none of that name is in force.",
    todo: "List the policies.",
    since: "0.1",
  },
  policy_draft: {
    kinds: ["precondition"],
    means: "The version is a draft: nobody has had it validated.",
    todo: "Validate it, then put it in force.",
    since: "0.1",
  },
  nothing_to_roll_back: {
    kinds: ["precondition"],
    means: "The policy has no earlier version to go back to, or the one that was named was never in force.",
    todo: "Look at its history with `remit policy show`; activate a version, or deactivate the policy.",
    since: "0.1",
  },
  rollout_exists: {
    kinds: ["precondition"],
    means: "Versions are being tried already: a tenant has one rollout at a time.",
    todo: "Promote it or call it off, then begin the next.",
    since: "0.1",
  },
  rollout_missing: {
    kinds: ["missing"],
    means: "No rollout is under way, or the one that was named has ended.",
    todo: "Look at `remit policy candidate status`; begin one.",
    since: "0.1",
  },
  rollout_share_lowered: {
    kinds: ["precondition"],
    means: "The share of the sessions that a rollout decides for only grows.",
    todo: "Call the rollout off and begin another.",
    since: "0.1",
  },
  revocation_unknown: {
    kinds: ["missing"],
    means: "There is no such revocation.",
    todo: "List the revocations.",
    since: "0.1",
  },
  tenant_unknown: {
    kinds: ["missing"],
    means: "There is no such tenant.",
    todo: "List the tenants.",
    since: "0.1",
  },
  handle_unknown: {
    kinds: ["missing"],
    means: "No session is attached to the stream under that handle.",
    todo: "Attach the session on this stream first.",
    since: "0.1",
  },
  call_id_reused: {
    kinds: ["conflict"],
    means: "The call id, or the business key of an idempotent tool, was asked before with another tool or input.",
    todo: "Give every call of a session an id of its own.",
    since: "0.1",
  },
  run_id_reused: {
    kinds: ["conflict"],
    means: "The run was opened before for another principal or scope.",
    todo: "Give every run an id of its own.",
    since: "0.1",
  },
  name_taken: {
    kinds: ["conflict"],
    means: "Something else has that name.",
    todo: "Choose another.",
    since: "0.1",
  },
  already_recorded: {
    kinds: ["conflict"],
    means: "This change was recorded before.",
    todo: "Look at what there is; it needs no second change.",
    since: "0.1",
  },
  hold_gone: {
    kinds: ["conflict"],
    means: "The hold was ended meanwhile, or went on to another attempt of its call.",
    todo: "List the holds again.",
    since: "0.1",
  },
  policy_invalid: {
    kinds: ["precondition"],
    means: "The policies do not compile together with the registered tools.",
    todo: "Publish a version that fits.",
    since: "0.1",
  },
  agent_suspended: {
    kinds: ["precondition"],
    means: "The agent is suspended or revoked, so no session of it is opened or renewed.",
    todo: "Ask its owner.",
    since: "0.1",
  },
  ...sessionReasons,
  tenant_suspended: {
    kinds: ["precondition"],
    means: "The tenant may not act now.",
    todo: "Ask who runs the service.",
    since: "0.1",
  },
  tenant_closing: {
    kinds: ["precondition"],
    means: "The tenant is being closed.",
    todo: "Ask who runs the service.",
    since: "0.1",
  },
  tenant_active: {
    kinds: ["precondition"],
    means: "A tenant is stopped before it is erased.",
    todo: "Set it to closing, then erase it.",
    since: "0.1",
  },
  last_cell_operator: {
    kinds: ["precondition"],
    means: "With that key nobody would be left to administer the tenants of the cell.",
    todo: "Make another key with the role cell-operator first.",
    since: "0.1",
  },
  last_owner: {
    kinds: ["precondition"],
    means: "With that key nobody would be left who owns the tenant.",
    todo: "Make another key with the role owner first.",
    since: "0.1",
  },
  rotation_too_soon: {
    kinds: ["precondition"],
    means: "Two signing keys are in use already; `limit` says until when.",
    todo: "Wait until then, or retire the older ones at once if a key has leaked.",
    since: "0.1",
  },
  tenant_erased: {
    kinds: ["precondition"],
    means: "The tenant was erased: what its entries said can be read by nobody any more.",
    todo: "Nothing brings it back; the digests of its entries still hold.",
    since: "0.1",
  },
  revision_conflict: {
    kinds: ["aborted"],
    means: "Somebody else changed the tenant first.",
    todo: "Look at what changed, and try again.",
    since: "0.1",
  },
  ...changeReasons,
  session_raced: {
    kinds: ["aborted"],
    means: "The same run was opened by somebody else at this moment.",
    todo: "Ask again.",
    since: "0.1",
  },
  overloaded: {
    kinds: ["exhausted"],
    means: "Too much at once; `limit` says how much is not.",
    todo: "Wait for answers, or spread the load.",
    since: "0.1",
  },
  quota_exceeded: {
    kinds: ["exhausted"],
    means: "The tenant, or this caller of it, may not have more; `limit` says how much. `retryable` for rates only.",
    todo: "Ask more slowly, remove what is not needed, or ask who runs the service for more.",
    since: "0.1",
  },
  message_too_large: {
    kinds: ["exhausted"],
    means: "One message is longer than `limit`.",
    todo: "Send less.",
    since: "0.1",
  },
  read_too_slowly: {
    kinds: ["exhausted"],
    means: "The peer of a stream does not read what it is sent.",
    todo: "Read the stream while sending on it; open another.",
    since: "0.1",
  },
  deadline_exceeded: {
    kinds: ["timeout"],
    means: "The caller's deadline passed before there was an answer.",
    todo: "Ask again with the same call id.",
    since: "0.1",
  },
  body_too_slow: {
    kinds: ["timeout"],
    means: "The request's body did not arrive in time.",
    todo: "Ask again with the same call id.",
    since: "0.1",
  },
  draining: {
    kinds: ["unavailable"],
    means: "This process stops.",
    todo: "Ask again with the same call id, on another connection.",
    since: "0.1",
  },
  ledger_unavailable: {
    kinds: ["unavailable"],
    means: "Nothing can be recorded or read just now, so nothing was allowed.",
    todo: "Ask again with the same call id, on another connection.",
    since: "0.1",
  },
  stale_policy: {
    kinds: ["unavailable"],
    means: "The policies here are too old to decide by, or older than the revision that was asked for.",
    todo: "Ask again with the same call id, on another connection.",
    since: "0.1",
  },
  policies_broken: {
    kinds: ["unavailable"],
    means:
      "The tenant's stored policies do not compile and none were in force here before: nothing is decided until they " +
      "are mended. Reports and the admin plane go on.",
    todo: "Activate a version that compiles, then ask again with the same call id.",
    since: "0.1",
  },
  engine_other: {
    kinds: ["unavailable"],
    means: "Another version of the engine decides in this cell than the one that this replica has.",
    todo: "Ask again with the same call id, on another connection.",
    since: "0.1",
  },
  not_served: {
    kinds: ["unimplemented"],
    means: "Nothing of that name is served at this address.",
    todo: "Check the address: data and admin services have listeners of their own.",
    since: "0.1",
  },
  service_unknown: {
    kinds: ["missing"],
    means: "The health of a service was asked that is not served here.",
    todo: "Ask with an empty name.",
    since: "0.1",
  },
  compressed: {
    kinds: ["unimplemented"],
    means: "The request was compressed.",
    todo: "Send it uncompressed.",
    since: "0.1",
  },
  cancelled: {
    kinds: ["cancelled"],
    means: "The caller hung up.",
    todo: "Ask again with the same call id, if the answer is still wanted.",
    since: "0.1",
  },
  record_refused: {
    kinds: ["internal"],
    means: "The store cannot hold the record of this request.",
    todo: "The service's log says why.",
    since: "0.1",
  },
  internal: {
    kinds: ["internal"],
    means: "Something went wrong inside the service.",
    todo: "The service's log says what.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

/** Why an RPC failed. Stable: agents branch on it. */
export type ErrorReason = keyof typeof errorReasons;
