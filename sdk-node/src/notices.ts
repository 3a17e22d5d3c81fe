import type { Notice as WireNotice } from "@remit/proto/decision";
import { readApprovalState } from "./answer.ts";
import type { Holder } from "./lane.ts";
import type { Notice } from "./notice.ts";
import type { Settings } from "./options.ts";
import { isFinal } from "./session-end.ts";
import type { HeldSession } from "./sessions.ts";

export interface NoticeActions {
  /** The client's own view of a session that the stream names. */
  held(holder: Holder): HeldSession | undefined;
  isWatched(holder: Holder): boolean;
  cancel(sessionId: string, callId: string, code: string): void;
  cancelAll(sessionId: string, code: string): void;
}

/** Acts on what Remit says unasked, and answers what a listener may know of it. */
function act(body: WireNotice["body"], held: HeldSession | undefined, actions: NoticeActions): Notice | undefined {
  if (body.case === "halted") {
    // As with a session that ended; this one may go on when the halt is released.
    if (held) actions.cancelAll(held.id, "halted");
    return { kind: "halted", reason: body.value.reason, ...(held && { sessionId: held.id }) };
  }
  if (!held) return undefined;
  const sessionId = held.id;
  switch (body.case) {
    case "sessionEnded": {
      const { code } = body.value;
      if (code !== "token_expired") {
        if (isFinal(code)) held.end(code);
        // Calls that were decided on another stream or connection are cancelled by this alone.
        actions.cancelAll(sessionId, code);
        return { kind: "session_ended", sessionId, code };
      }
      // Only the token is over. Calls that run want their notices; others renew it when they come.
      if (actions.isWatched(held)) held.renew().catch(() => {});
      return undefined;
    }
    case "callCancel": {
      const { callId, code } = body.value;
      actions.cancel(sessionId, callId, code);
      return { kind: "call_cancel", sessionId, callId, code };
    }
    case "approvalResolved": {
      const { callId, approval } = body.value;
      return { kind: "approval_resolved", sessionId, callId, state: readApprovalState(approval?.state) };
    }
    default:
      return undefined;
  }
}

/** What the client does with the notices of its stream. */
export function noticeHandler(
  settings: Settings,
  actions: NoticeActions,
): (body: WireNotice["body"], holder: Holder | undefined) => void {
  return (body, holder) => {
    const notice = act(body, holder && actions.held(holder), actions);
    if (!notice) return;
    try {
      settings.onNotice(notice);
    } catch (error) {
      const message = `onNotice threw: ${(error as Error).message}`;
      settings.log({ level: "error", event: "listener_threw", message, kind: notice.kind });
    }
  };
}
