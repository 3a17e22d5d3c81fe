import type { Approval } from "./decision.ts";

/** What Remit says unasked, over the stream. */
export type Notice =
  /** The session's calls are denied from now on, for this reason. */
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
  /** The tenant was halted. */
  | { readonly kind: "halted"; readonly reason: string };
