/**
 * Why the SDK itself refuses a call; the tool does not run. docs/codes.md is written from this page. A session that
 * has ended is refused here with the code that it ended with.
 */
export const localCodes = {
  unreachable: {
    means: "No answer came within the deadline, or what became of the last try of this call could not be told yet.",
    todo: "Check the addresses and the service; try again under another call id.",
  },
  answer_invalid: {
    means: "Remit's answer cannot be read, or does not fit what was asked. Reported as `not_executed`.",
    todo: "Upgrade the SDK, or look at what stands between.",
  },
  effect_unknown: {
    means: "Remit answered with an effect that this SDK does not know. Reported as `not_executed`.",
    todo: "Upgrade the SDK.",
  },
  constraint_unsupported: {
    means: "The call was allowed under a constraint that neither SDK nor tool honours. Reported as `not_executed`.",
    todo: "Honour it and name it in `supportedConstraints`, or upgrade the SDK.",
  },
  decision_expired: {
    means:
      "The answer came after `executeBefore`, or a copy of an earlier report of this call may still be on its way. " +
      "Reported as `not_executed`.",
    todo: "Ask anew under another call id.",
  },
  already_executed: {
    means: "This decision was run in this process, and its report is still under way.",
    todo: "Do not run it again.",
  },
  call_in_progress: {
    means: "A call of this session with this id is under way in this process.",
    todo: "Wait for it, or give the new one an id of its own.",
  },
  reports_full: {
    means: "Too many reports wait for Remit, and none left within the deadline.",
    todo: "Check that Remit can be reached; `reportsMax` and `reportBytesMax` are the bounds.",
  },
  client_closed: {
    means: "The client was closed.",
    todo: "Make another.",
  },
} as const satisfies Readonly<Record<string, { readonly means: string; readonly todo: string }>>;

/** Why the SDK itself refuses a call. */
export type LocalCode = keyof typeof localCodes;
