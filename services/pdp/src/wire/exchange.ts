import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ExchangeRequest, type ExchangeResponse, ExchangeResponseSchema } from "@remit/proto/decision";
import { Fault, invalid } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Call, Duplex, Outgoing } from "./call.ts";
import { decideFor } from "./decide.ts";
import type { Desk } from "./desk.ts";
import { toCallError } from "./errors.ts";
import { reportFor } from "./report.ts";

type Body = NonNullable<MessageInitShape<typeof ExchangeResponseSchema>["body"]>;

/** The streams that are open now. */
export interface Exchange {
  readonly rpc: Duplex<ExchangeRequest, ExchangeResponse>;
  /** Handles attached, over all streams. */
  handles(): number;
}

interface Options {
  readonly desk: Desk;
  /** How long a stream lives before its peer is told to open another, so that fleets rebalance. */
  readonly streamLifeMs: () => number;
}

/** How long a peer has for moving, once told. */
const MOVE_WITHIN_MS = 30_000;

interface Stream {
  /** Session tokens by handle. */
  readonly handles: Map<number, string>;
}

function tokenOf(stream: Stream, handle: number): string {
  const token = stream.handles.get(handle);
  if (token !== undefined) return token;
  throw new Fault("missing", "handle_unknown", `no session is attached as handle ${handle}`, {
    field: "handle",
    fix: "attach the session on this stream first",
  });
}

async function attach(desk: Desk, call: Call, stream: Stream, token: string, handle: number): Promise<Body> {
  if (stream.handles.size >= limits.handlesPerStreamMax) {
    throw new Fault("exhausted", "overloaded", "the stream has too many sessions attached", {
      limit: `${limits.handlesPerStreamMax} handles a stream`,
      fix: "detach sessions that have ended, or open another stream",
    });
  }
  await desk.whoAsks({ ...call, sessionToken: token })();
  stream.handles.set(handle, token);
  const expiresAtMs = await desk.identities.tokenExpiry(token);
  return { case: "attached", value: { handle, expiresAt: timestampFromMs(expiresAtMs) } };
}

/** Does what one frame asks for. */
async function answer(
  desk: Desk,
  call: Call,
  stream: Stream,
  body: ExchangeRequest["body"],
  newHandle: () => number,
): Promise<Body> {
  // A stream's own deadline is not that of its frames.
  const origin = { traceparent: call.traceparent, deadlineMs: undefined, lane: "exchange" } as const;
  switch (body.case) {
    case "attach":
      return attach(desk, call, stream, body.value.sessionToken, newHandle());
    case "detach":
      stream.handles.delete(body.value.handle);
      return { case: "detached", value: {} };
    case "decide": {
      if (!body.value.call) throw invalid("call", "the frame holds no call", { fix: "send decide.call" });
      const who = desk.whoAsks({ ...call, sessionToken: tokenOf(stream, body.value.handle) });
      return { case: "decided", value: await decideFor(desk, body.value.call, who, origin) };
    }
    case "report": {
      if (!body.value.report) throw invalid("report", "the frame holds no report", { fix: "send report.report" });
      const who = desk.whoAsks({ ...call, sessionToken: tokenOf(stream, body.value.handle) }, "report");
      return { case: "reported", value: await reportFor(desk, body.value.report, who, origin) };
    }
    default:
      throw invalid("body", "the frame asks for nothing this service knows", {
        fix: "send attach, detach, decide or report",
      });
  }
}

/** `Exchange`: decisions, reports and notices of many sessions over one stream, many in flight at once. */
export function createExchange({ desk, streamLifeMs }: Options): Exchange {
  const streams = new Set<Stream>();

  const open = (call: Call, out: Outgoing<ExchangeResponse>) => {
    const say = (frame: bigint, body: Body) => out.send(create(ExchangeResponseSchema, { frame, body }));
    const stream: Stream = { handles: new Map() };
    streams.add(stream);
    let handles = 0;
    let inFlight = 0;
    let halfClosed = false;
    const askToMove = () => say(0n, reconnect(MOVE_WITHIN_MS));
    let life = setTimeout(() => {
      askToMove();
      life = setTimeout(() => out.end(), MOVE_WITHIN_MS).unref();
    }, streamLifeMs()).unref();

    const handle = async ({ frame, body }: ExchangeRequest): Promise<void> => {
      try {
        if (frame === 0n) throw invalid("frame", "frame must be above 0", { fix: "number your frames from 1" });
        say(frame, await answer(desk, call, stream, body, () => ++handles));
      } catch (error) {
        say(frame, { case: "error", value: toCallError(error, desk.sink) });
      }
    };
    const finished = () => {
      inFlight--;
      if (halfClosed && inFlight === 0) out.end();
    };

    return {
      receive(request: ExchangeRequest) {
        if (inFlight >= limits.framesInFlightPerStreamMax) {
          const fault = new Fault("exhausted", "overloaded", "too many frames are in flight on this stream", {
            limit: `${limits.framesInFlightPerStreamMax} frames a stream`,
          });
          say(request.frame, { case: "error", value: toCallError(fault) });
          return;
        }
        inFlight++;
        void handle(request).finally(finished);
      },
      closed() {
        clearTimeout(life);
        streams.delete(stream);
        halfClosed = true;
        if (inFlight === 0) out.end();
      },
      draining: askToMove,
    };
  };

  return {
    rpc: open,
    handles: () => [...streams].reduce((sum, stream) => sum + stream.handles.size, 0),
  };
}

function reconnect(withinMs: number): Body {
  return { case: "notice", value: { body: { case: "reconnect", value: { within: durationFromMs(withinMs) } } } };
}
