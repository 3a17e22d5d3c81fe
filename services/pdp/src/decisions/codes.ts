import type { Effect } from "@remit/engine";

interface CodeRow {
  readonly effects: readonly Effect[];
  readonly means: string;
  readonly todo: string;
  /** The first version that answers it. */
  readonly since: string;
  /** Known, and not answered yet by anything that this build can do. */
  readonly later?: string;
}

/**
 * Why a decision came out as it did. docs/codes.md is written from this page, and a door test provokes each row: add
 * both with a new code.
 */
export const decisionCodes = {
  rule_allowed: {
    effects: ["allow"],
    means: "The named rules allow it.",
    todo: "Run it before `executeBefore`, then report.",
    since: "0.1",
  },
  rule_transformed: {
    effects: ["transform"],
    means: "The named rules changed its input.",
    todo: "Run it with `transformedInput` before `executeBefore`, then report.",
    since: "0.1",
  },
  approval_granted: {
    effects: ["allow", "transform"],
    means: "Enough people agreed, and the named rules allow it.",
    todo: "Run it, then report.",
    since: "0.1",
    later: "before approvals can be granted",
  },
  clarified: {
    effects: ["allow", "transform"],
    means: "Its questions were answered, and the named rules allow it.",
    todo: "Run it, then report.",
    since: "0.1",
  },
  observed: {
    effects: ["allow"],
    means: "The call is [observed](observe.md); `would` says what enforcement would have answered.",
    todo: "Run it, then report.",
    since: "0.1",
  },
  approval_required: {
    effects: ["escalate"],
    means: "People must agree first.",
    todo: "Wait; ask again with the same call id.",
    since: "0.1",
  },
  facts_missing: {
    effects: ["clarify"],
    means: "The questions must be answered first.",
    todo: "Ask again with the same call id and the answers.",
    since: "0.1",
  },
  no_rule_matched: {
    effects: ["deny"],
    means: "No rule speaks of this call, and what is not allowed is denied.",
    todo: "Change the plan, or the policy.",
    since: "0.1",
  },
  rule_denied: {
    effects: ["deny"],
    means: "The named rules deny it.",
    todo: "Tell the model the message.",
    since: "0.1",
  },
  evaluation_error: {
    effects: ["deny", "escalate", "clarify"],
    means: "A condition of the rule could not be evaluated for this call, and that counts against the call.",
    todo: "`detail` says which; mend the call or the rule.",
    since: "0.1",
  },
  transform_conflict: {
    effects: ["deny"],
    means: "Two rules force different values on one argument.",
    todo: "Mend the policy.",
    since: "0.1",
  },
  transform_invalid: {
    effects: ["deny"],
    means: "The forced input does not fit the tool's schema.",
    todo: "Mend the policy.",
    since: "0.1",
  },
  constraint_unsupported: {
    effects: ["deny"],
    means: "The caller cannot honour a constraint of the rule.",
    todo: "Upgrade the caller.",
    since: "0.1",
  },
  tool_unknown: {
    effects: ["deny"],
    means: "Nobody registered the tool.",
    todo: "Register it: a document of kind Tool.",
    since: "0.1",
  },
  tool_suspended: {
    effects: ["deny"],
    means:
      "The tool is suspended or revoked: it may not be called now, calls that were allowed and have not started too.",
    todo: "Ask its owner.",
    since: "0.1",
  },
  tool_schema_changed: {
    effects: ["deny"],
    means:
      "The tool is registered with another input schema than the one that the caller goes by, or than the one under " +
      "which the call was allowed.",
    todo: "Look at what changed, then register the tool again: `remit apply`.",
    since: "0.1",
  },
  input_invalid: {
    effects: ["deny"],
    means: "The input or the context does not fit the tool's schemas, or the estimate exceeds its maximum.",
    todo: "The message names the argument, or the amount.",
    since: "0.1",
  },
  scope_exceeded: {
    effects: ["deny"],
    means: "The session may not ask for this.",
    todo: "The message names the bound.",
    since: "0.1",
  },
  depth_exceeded: {
    effects: ["deny"],
    means: "The session lies deeper under the one that was opened than it may now.",
    todo: "Have the work done by an agent further up.",
    since: "0.1",
  },
  session_closed: {
    effects: ["deny"],
    means: "The session was closed, or its time is over.",
    todo: "Open another.",
    since: "0.1",
  },
  session_revoked: {
    effects: ["deny"],
    means: "The session was revoked, or the one that it was delegated from.",
    todo: "Ask who revoked it.",
    since: "0.1",
  },
  delegation_expired: {
    effects: ["deny"],
    means: "The time of a delegated session is over, or that of a session above it.",
    todo: "Have it delegated again, or go on without.",
    since: "0.1",
  },
  agent_suspended: {
    effects: ["deny"],
    means: "The agent may not act now: it is suspended, revoked or not registered.",
    todo: "Ask its owner.",
    since: "0.1",
  },
  principal_suspended: {
    effects: ["deny"],
    means: "Nothing may be done for the principal now, calls that were allowed and have not started too.",
    todo: "Ask an operator.",
    since: "0.1",
  },
  halted: {
    effects: ["deny"],
    means: "An operator has halted the session, or the tenant; nothing of it runs, observed or not.",
    todo: "Wait until the halt is released, then ask under another call id.",
    since: "0.1",
  },
  tenant_suspended: {
    effects: ["deny"],
    means: "The tenant may not act now; nothing of it runs, observed or not.",
    todo: "Ask who runs the service.",
    since: "0.1",
  },
  tenant_closing: {
    effects: ["deny"],
    means: "The tenant is being closed; nothing of it runs, observed or not.",
    todo: "Ask who runs the service.",
    since: "0.1",
  },
  budget_exhausted: {
    effects: ["deny"],
    means: "What the call costs does not fit into what is left of a budget that covers it.",
    todo: "Plan without it; where `retryAfter` says when there is more, ask then with the same call id.",
    since: "0.1",
  },
  budget_frozen: {
    effects: ["deny"],
    means: "A budget that covers the call is frozen: by people, or because a call cost far more than was held for it.",
    todo: "Tell whoever owns the budget; once it is open again, ask under another call id.",
    since: "0.1",
  },
  budget_unavailable: {
    effects: ["deny"],
    means: "A budget that covers the call could not be asked in time.",
    todo: "Ask again with the same call id.",
    since: "0.1",
  },
  account_limit: {
    effects: ["deny"],
    means:
      "A budget that covers the call keeps accounts for as many keys as it may in one window, or more accounts cover the call than one call may be charged to.",
    todo: "`detail` names the budget and the [limit](limits.md): keep it by what has fewer values, or for a shorter window.",
    since: "0.1",
  },
  estimate_missing: {
    effects: ["deny"],
    means: "A hard budget covers the call in a unit for which neither its caller nor its tool says what it costs.",
    todo: "Send an estimate under another call id, or let the tool's document say what it costs.",
    since: "0.1",
  },
  no_budget: {
    effects: ["deny"],
    means: "The call costs something in a unit that no budget covers.",
    todo: "Declare a budget in that unit, or let the tenant spend without one.",
    since: "0.1",
  },
  already_executed: {
    effects: ["deny"],
    means: "This call was reported on: it ran, or its caller gave it up.",
    todo: "Do not run it again; if it was given up, ask under another call id.",
    since: "0.1",
  },
  decision_expired: {
    effects: ["deny"],
    means: "It was allowed and not started in time.",
    todo: "Ask anew under another call id.",
    since: "0.1",
  },
  approval_expired: {
    effects: ["deny"],
    means: "The approval ran out before enough people had agreed.",
    todo: "Ask under another call id.",
    since: "0.1",
  },
  loop_detected: {
    effects: ["deny"],
    means:
      "A [breaker](breakers.md) stopped it: the same call again and again, failure after failure, or denial after denial.",
    todo: "Let the agent do something else; asking again makes sense after `retryAfter`.",
    since: "0.1",
  },
  rate_limited: {
    effects: ["deny"],
    means: "A [breaker](breakers.md) stopped it: there were too many calls of this tool in a second or in a minute.",
    todo: "Ask again after `retryAfter`, with the same call id.",
    since: "0.1",
  },
  anomalous_spend: {
    effects: ["deny"],
    means:
      "A [breaker](breakers.md#spending) stopped it: with it the agent would spend more in this window of a budget than is usual for it.",
    todo: "Look at what the agent does. `retryAfter` is the end of the window; an operator can let it go on before.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, CodeRow>>;

/** Why a decision came out as it did. Stable: agents branch on it. The engine's codes are among them. */
export type DecisionCode = keyof typeof decisionCodes;
