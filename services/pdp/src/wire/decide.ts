import type { DecideRequest, DecideResponse } from "@remit/proto/decision";
import type { WhoAsks } from "../decisions/index.ts";
import { Fault } from "../foundation/fault.ts";
import type { Call, Unary } from "./call.ts";
import { decisionToWire } from "./convert/answer.ts";
import { askFrom } from "./convert/ask.ts";
import { traceIdFrom } from "./convert/trace.ts";
import type { Desk } from "./desk.ts";

/** `Decide`: convert, call, convert. */
export function decideRpc(desk: Desk): Unary<DecideRequest, DecideResponse> {
  return (request, call) => decideFor(desk, request, desk.whoAsks(call), call);
}

/** Where a call came from: a lane's own call, or a frame of a stream. */
export type Origin = Pick<Call, "traceparent" | "deadlineMs"> & {
  readonly lane: Call["lane"] | "exchange";
  /** What of it comes in an order that is kept; by itself that of its session. */
  readonly source?: object;
};

/** One call of one asker; a stream and a batch decide by this too. */
export async function decideFor(
  desk: Desk,
  request: DecideRequest,
  who: WhoAsks,
  origin: Origin,
): Promise<DecideResponse> {
  const startedMs = performance.now();
  // Who asks comes before what is asked: a stranger learns nothing from what is wrong with its request.
  const asker = await who();
  const done = desk.enter("Decide", asker);
  const { source = asker.session.id } = origin;
  try {
    if (desk.turns.full) await desk.turns.enter(source);
    const readMs = performance.now();
    const ask = askFrom(request, traceIdFrom(origin.traceparent), desk.withinMs(origin));
    desk.turns.took(performance.now() - readMs);
    const decision = await desk.decide(who, ask, source);
    if (desk.turns.full) await desk.turns.enter(source);
    const writeMs = performance.now();
    const { effect, mode, would, rollout } = decision.body;
    desk.meter.decided(origin.lane, effect, (writeMs - startedMs) / 1000);
    if (mode === "observed" && would && !decision.replayed) desk.meter.observed(would.effect);
    if (rollout?.other && !decision.replayed) {
      const own = mode === "observed" && would ? would.effect : effect;
      const { effect: other } = rollout.other;
      if (rollout.side === "active") desk.meter.candidateDiffers(own, other);
      else desk.meter.candidateDiffers(other, own);
    }
    const answer = decisionToWire(decision, {
      asBytes: request.input.case === "inputJson",
      diagnose: desk.mayDiagnose(asker.caller),
      stalenessMs: desk.stalenessMs(asker.session.tenant),
    });
    desk.turns.took(performance.now() - writeMs);
    return answer;
  } catch (error) {
    if (error instanceof Fault && error.kind === "exhausted") desk.meter.shed("Decide");
    throw error;
  } finally {
    done();
  }
}
