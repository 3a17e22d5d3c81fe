import type { ReasonRow } from "./reason-row.ts";

/** Rows of `reasons.ts`: changes that take several people. */
export const changeReasons = {
  change_needs_approval: {
    kinds: ["precondition"],
    means: "In this tenant it takes several people to widen authority.",
    todo: "Propose it: ProposeChange with this method and message, or `remit`, which does so by itself.",
    since: "0.1",
  },
  change_unknown: {
    kinds: ["missing"],
    means: "No such change was proposed.",
    todo: "List the changes.",
    since: "0.1",
  },
  change_over: {
    kinds: ["precondition"],
    means: "The proposed change was applied, rejected, withdrawn or refused, or its time ran out.",
    todo: "Look at it; propose it again if it is still wanted.",
    since: "0.1",
  },
  change_differs: {
    kinds: ["precondition"],
    means: "What is approved is not what is proposed.",
    todo: "Look at the proposal, and approve the digest that it has.",
    since: "0.1",
  },
  change_same_person: {
    kinds: ["forbidden"],
    means:
      "Nobody approves their own: the approver proposed or approved the change, made the key that did, or got its key from who did.",
    todo: "Ask somebody else.",
    since: "0.1",
  },
  people_too_few: {
    kinds: ["precondition"],
    means: "The tenant has fewer owners, apart from each other, than it would take people to widen authority.",
    todo: "Make keys for more owners first, each by and for another person.",
    since: "0.1",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;
