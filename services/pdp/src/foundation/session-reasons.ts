import type { ReasonRow } from "./reason-row.ts";

/** Why a session is not opened, renewed or delegated, or nothing is decided for it: rows of `reasons.ts`. */
export const sessionReasons = {
  session_closed: {
    kinds: ["precondition"],
    means: "The session has ended: it is not renewed, and its run is not opened again.",
    todo: "Open another.",
    since: "0.1",
  },
  scope_exceeded: {
    kinds: ["forbidden"],
    means: "What was to be handed over is more than the delegating session has.",
    todo: "The message names each excess, and what is allowed there.",
    since: "0.1",
  },
  scopes_too_long: {
    kinds: ["precondition"],
    means: "The scopes and ceilings that bind the session say more of the tool than the entry of a call can hold.",
    todo: "Ask an operator to shorten the ceilings of the session's agents, and of the groups of its principal.",
    since: "0.1",
  },
  depth_exceeded: {
    kinds: ["precondition"],
    means: "The session may not be delegated any further, or lies deeper than it may now.",
    todo: "Have the work done by an agent further up.",
    since: "0.1",
  },
  delegation_circular: {
    kinds: ["precondition"],
    means: "The agent that was to be delegated to is in the chain already.",
    todo: "Delegate to another agent.",
    since: "0.1",
  },
  delegation_expired: {
    kinds: ["precondition"],
    means: "The time of the delegated session is over, or that of a session above it: it is not renewed.",
    todo: "Delegate again, from a session that is open.",
    since: "0.1",
  },
  session_revoked: {
    kinds: ["precondition"],
    means: "The session was revoked: it is not renewed, its run is not opened again, and nothing lifts that.",
    todo: "Ask who revoked it.",
    since: "0.1",
  },
  principal_suspended: {
    kinds: ["precondition"],
    means: "Nothing may be done for the principal now, so no session for it is opened or renewed.",
    todo: "Ask an operator.",
    since: "0.1",
  },
  halted: {
    kinds: ["precondition"],
    means: "An operator has halted the session, so it is not opened or renewed.",
    todo: "Wait until the halt is released.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;
