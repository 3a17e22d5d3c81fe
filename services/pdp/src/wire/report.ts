import type { ReportRequest, ReportResponse } from "@remit/proto/decision";
import type { WhoAsks } from "../decisions/index.ts";
import type { Unary } from "./call.ts";
import { reportedToWire } from "./convert/answer.ts";
import { toldFrom } from "./convert/ask.ts";
import { traceIdFrom } from "./convert/trace.ts";
import type { Origin } from "./decide.ts";
import type { Desk } from "./desk.ts";

/** `Report`. A token that ran out may still tell what happened. */
export function reportRpc(desk: Desk): Unary<ReportRequest, ReportResponse> {
  return (request, call) => reportFor(desk, request, desk.whoAsks(call, "report"), call);
}

/** One report of one asker; a stream reports by this too. */
export async function reportFor(
  desk: Desk,
  request: ReportRequest,
  who: WhoAsks,
  origin: Origin,
): Promise<ReportResponse> {
  const startedMs = performance.now();
  const asker = await who();
  // Behind the calls of its source that wait.
  if (desk.turns.full) await desk.turns.enter(origin.source ?? asker.session.id);
  const reported = await desk.report(who, toldFrom(request, traceIdFrom(origin.traceparent)));
  desk.meter.reported((performance.now() - startedMs) / 1000);
  return reportedToWire(reported);
}
