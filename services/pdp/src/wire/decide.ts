import type { DecideRequest, DecideResponse } from "@remit/proto/decision";
import type { WhoAsks } from "../decisions/index.ts";
import type { Unary } from "./call.ts";
import { decisionToWire } from "./convert/answer.ts";
import { askFrom } from "./convert/ask.ts";
import { traceIdFrom } from "./convert/trace.ts";
import type { Desk } from "./desk.ts";

/** `Decide`: convert, call, convert. */
export function decideRpc(desk: Desk): Unary<DecideRequest, DecideResponse> {
  return (request, call) => decideFor(desk, request, desk.whoAsks(call), call.traceparent);
}

/** One call of one asker; a stream and a batch decide by this too. */
export async function decideFor(
  desk: Desk,
  request: DecideRequest,
  who: WhoAsks,
  traceparent: string | undefined,
): Promise<DecideResponse> {
  // Who asks comes before what is asked: a stranger learns nothing from what is wrong with its request.
  const asker = await who();
  const done = desk.enter(asker.session.id);
  try {
    const ask = askFrom(request, traceIdFrom(traceparent));
    const decision = await desk.decide(who, ask);
    return decisionToWire(decision, {
      asBytes: request.input.case === "inputJson",
      diagnose: desk.mayDiagnose(asker.caller),
    });
  } finally {
    done();
  }
}
