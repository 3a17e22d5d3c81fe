import type { Facts, Verdict, WouldBe } from "@remit/engine";
import type { Stopping } from "./breakers.ts";
import type { DecisionCode } from "./codes.ts";
import type { RolloutNote } from "./sides.ts";
import type { SpendingStop } from "./spending-stop.ts";

/** The engine's verdict, or a denial that came before it. */
export type Finding = Omit<Verdict, "code" | "would"> & {
  readonly code: DecisionCode;
  readonly would?: Omit<WouldBe, "code"> & { readonly code: DecisionCode; readonly retryAfterMs?: number };
  /** Of a denial that lets itself be asked again: when. Absent: after the default. */
  readonly retryAfterMs?: number;
};

/** A finding, and what it was judged from. */
export interface Judged {
  readonly verdict: Finding;
  readonly facts: Facts;
  /** Where versions are tried beside those in force. */
  readonly rollout?: RolloutNote;
  /** That breakers stop it, or would. */
  readonly stopping?: Stopping;
  /** That it is stopped, or would be, for what its agent spends. */
  readonly spending?: SpendingStop;
}

/** What stands in the way now of a call that was allowed before. */
export interface Bar {
  readonly code: DecisionCode;
  readonly message: string;
  /** Whether it stops a call of an observed tenant too: an operator's own hand does. */
  readonly kills: boolean;
}

/** A denial that no policy was asked for. */
export function refusal(code: DecisionCode, message: string): Finding {
  return {
    effect: "deny",
    code,
    message,
    retryable: false,
    rules: [],
    mode: "enforced",
    constraints: [],
    unknowns: [],
  };
}

/** A denial where policies are only watched: the call goes on, and the denial is what would have been. */
export function watched({ effect, code, message, retryable, retryAfterMs, rules }: Finding): Finding {
  return {
    ...refusal("observed", "Allowed: policies are observed here, not enforced."),
    ...{ effect: "allow", mode: "observed" },
    would: { effect, code, message, retryable, rules, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  };
}
