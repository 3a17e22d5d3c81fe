import { create } from "@bufbuild/protobuf";
import {
  type DecideRequest,
  type ExplainRequest,
  type ExplainResponse,
  ExplainResponseSchema,
} from "@remit/proto/decision";
import type { Explained, WhoAsks } from "../decisions/index.ts";
import { invalid } from "../foundation/fault.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Call, Unary } from "./call.ts";
import { askFrom } from "./convert/ask.ts";
import { explainedToWire } from "./convert/explained.ts";
import { traceIdFrom } from "./convert/trace.ts";
import type { Desk } from "./desk.ts";

async function explainWith(
  desk: Desk,
  who: WhoAsks,
  source: string,
  request: DecideRequest,
  call: Call,
): Promise<Explained> {
  if (desk.turns.full) await desk.turns.enter(source);
  const readMs = performance.now();
  const ask = askFrom(request, traceIdFrom(call.traceparent), desk.withinMs(call));
  desk.turns.took(performance.now() - readMs);
  return desk.explain(who, ask);
}

/** `Explain`: what Decide would answer, and how every rule came out. Holds and records nothing. */
export function explainRpc(desk: Desk): Unary<ExplainRequest, ExplainResponse> {
  return async (request, call) => {
    const who = desk.whoAsks(call);
    const asker = await who();
    if (!request.call) throw invalid("call", "call is missing", { fix: "send the call to explain" });
    const done = desk.enter("Explain", asker);
    const explained = await explainWith(desk, who, asker.session.id, request.call, call).finally(done);
    const stalenessMs = desk.stalenessMs(asker.session.tenant);
    const written = await explainedToWire(explained, turnOfTheLoop);
    return create(ExplainResponseSchema, { ...written, stalenessMs });
  };
}
