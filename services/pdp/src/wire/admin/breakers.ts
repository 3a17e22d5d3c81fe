import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ListBreakersRequest,
  type ListBreakersResponse,
  ListBreakersResponseSchema,
  type ResetBreakerRequest,
  type ResetBreakerResponse,
  ResetBreakerResponseSchema,
} from "@remit/proto/breaker";
import type { TrippedBreaker } from "../../decisions/index.ts";
import { limits } from "../../foundation/limits.ts";
import type { Unary } from "../call.ts";
import { storedName, uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

/** `BreakerService`. */
export interface BreakerRpcs {
  readonly listBreakers: Unary<ListBreakersRequest, ListBreakersResponse>;
  readonly resetBreaker: Unary<ResetBreakerRequest, ResetBreakerResponse>;
}

const toWire = ({ decision, session, run, sinceMs, untilMs, ...more }: TrippedBreaker) => ({
  ...{ decisionId: decision, sessionId: session, runSessionId: run, ...more },
  ...{ since: timestampFromMs(sinceMs), until: timestampFromMs(untilMs) },
});

export function breakerRpcs({ caller, breakerResets }: AdminDesk): BreakerRpcs {
  return {
    async listBreakers({ all, pageSize, pageToken }, call) {
      const by = caller(call);
      const most = Math.min(pageSize || limits.breakersListedMax, limits.breakersListedMax);
      const before = pageToken === "" ? undefined : uuidField(pageToken, "page_token");
      // One more, to see whether there is another page.
      const found = await breakerResets.list(by, { all, before, most: most + 1 });
      const page = found.slice(0, most);
      return create(ListBreakersResponseSchema, {
        breakers: page.map(toWire),
        nextPageToken: found.length > most ? (page.at(-1)?.decision ?? "") : "",
      });
    },
    async resetBreaker({ sessionId, tool, reason }, call) {
      const by = caller(call);
      const { run, atMs } = await breakerResets.reset(by, {
        session: uuidField(sessionId, "session_id"),
        tool: tool === "" ? undefined : storedName(tool, "tool", limits.toolNameBytesMax),
        reason: storedName(reason, "reason", limits.breakerReasonBytesMax),
      });
      return create(ResetBreakerResponseSchema, { runSessionId: run, resetAt: timestampFromMs(atMs) });
    },
  };
}
