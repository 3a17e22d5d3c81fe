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
import { invalid } from "../../foundation/fault.ts";
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

/** What a request sets aside: of a run, or of an agent. */
function setAsideBy({ sessionId, agent, tool, reason: said }: ResetBreakerRequest) {
  const reason = storedName(said, "reason", limits.breakerReasonBytesMax);
  if (agent === "") {
    const named = tool === "" ? undefined : storedName(tool, "tool", limits.toolNameBytesMax);
    return { session: uuidField(sessionId, "session_id"), tool: named, reason };
  }
  if (sessionId !== "") {
    throw invalid("agent", "both a session and an agent are named", { fix: "send one of session_id and agent" });
  }
  if (tool !== "") {
    throw invalid("tool", "what an agent spends is not counted by tool", { fix: "leave tool out" });
  }
  return { agent: storedName(agent, "agent", limits.nameBytesMax), reason };
}

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
    async resetBreaker(request, call) {
      const by = caller(call);
      const { run = "", atMs } = await breakerResets.reset(by, setAsideBy(request));
      return create(ResetBreakerResponseSchema, { runSessionId: run, resetAt: timestampFromMs(atMs) });
    },
  };
}
