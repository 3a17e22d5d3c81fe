import type { Approval } from "./decision.ts";

/** What Remit says unasked, over the stream. */
export type Notice =
  /**
   * Nothing of the session may run, for this reason; its running calls have had their signals aborted. It is over for
   * good when it was closed or revoked; after a suspension it may go on.
   */
  | { readonly kind: "session_ended"; readonly sessionId: string; readonly code: string }
  /** A running call should stop: its signal has been aborted. */
  | { readonly kind: "call_cancel"; readonly sessionId: string; readonly callId: string; readonly code: string }
  /** People have answered: resume the call. */
  | {
      readonly kind: "approval_resolved";
      readonly sessionId: string;
      readonly callId: string;
      readonly state: Approval["state"];
    }
  /**
   * An operator has halted a session, or all of them: nothing runs until the halt is released. The signals of its running
   * calls have been aborted.
   */
  | { readonly kind: "halted"; readonly reason: string; readonly sessionId?: string };
