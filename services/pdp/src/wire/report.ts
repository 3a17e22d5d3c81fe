import type { ReportRequest, ReportResponse } from "@remit/proto/decision";
import type { WhoAsks } from "../decisions/index.ts";
import type { Unary } from "./call.ts";
import { reportedToWire } from "./convert/answer.ts";
import { toldFrom } from "./convert/ask.ts";
import { traceIdFrom } from "./convert/trace.ts";
import type { Desk } from "./desk.ts";

/** `Report`. A token that ran out may still tell what happened. */
export function reportRpc(desk: Desk): Unary<ReportRequest, ReportResponse> {
  return (request, call) => reportFor(desk, request, desk.whoAsks(call, "report"), call.traceparent);
}

/** One report of one asker; a stream reports by this too. */
export async function reportFor(
  desk: Desk,
  request: ReportRequest,
  who: WhoAsks,
  traceparent: string | undefined,
): Promise<ReportResponse> {
  await who();
  return reportedToWire(await desk.report(who, toldFrom(request, traceIdFrom(traceparent))));
}
