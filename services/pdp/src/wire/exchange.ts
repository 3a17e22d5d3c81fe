import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type DecideResponse,
  type ExchangeRequest,
  type ExchangeResponse,
  ExchangeResponseSchema,
  Outcome,
} from "@remit/proto/decision";
import type { Standing } from "../decisions/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { systemTurnRoom } from "../foundation/turn-room.ts";
import { type Attached, type Attaching, createAttached, type NoticeBody } from "./attached.ts";
import { createAudience, TELLING_MS_MAX } from "./audience.ts";
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
  readonly standing: Standing;
  readonly clock: Clock;
  /** How long a stream lives before its peer is told to open another, so that fleets rebalance. */
  readonly streamLifeMs: () => number;
  /** Between slices of telling many sessions of something; undefined: a turn of the event loop. */
  readonly newsPause?: Pause | undefined;
}

/** How long a peer has for moving, once told. */
const MOVE_WITHIN_MS = 30_000;

/** How late a peer may hear of what time alone has changed. */
const LOOK_EVERY_MS = 1_000;

/** What a token stands for. One that ran out may still report for a day; asked to decide, it is refused. */
async function opening(desk: Desk, call: Call, token: string): Promise<Attaching> {
  const { session } = await desk.whoAsks(call, "report", token)();
  return { token, session, expiresAtMs: await desk.identities.tokenExpiry(token) };
}

/** Does what one frame asks for. */
async function answer(desk: Desk, call: Call, attached: Attached, body: ExchangeRequest["body"]): Promise<Body> {
  // A stream's own deadline is not that of its frames.
  const origin = { traceparent: call.traceparent, deadlineMs: undefined, lane: "exchange", source: attached } as const;
  switch (body.case) {
    case "attach": {
      const { sessionToken } = body.value;
      const { handle, expiresAtMs } = await attached.attach(() => opening(desk, call, sessionToken));
      return { case: "attached", value: { handle, expiresAt: timestampFromMs(expiresAtMs) } };
    }
    case "detach":
      attached.detach(body.value.handle);
      return { case: "detached", value: {} };
    case "decide": {
      if (!body.value.call) throw invalid("call", "the frame holds no call", { fix: "send decide.call" });
      const who = desk.whoAsks(call, "decide", attached.tokenOf(body.value.handle));
      return { case: "decided", value: await decideFor(desk, body.value.call, who, origin) };
    }
    case "report": {
      if (!body.value.report) throw invalid("report", "the frame holds no report", { fix: "send report.report" });
      const who = desk.whoAsks(call, "report", attached.tokenOf(body.value.handle));
      return { case: "reported", value: await reportFor(desk, body.value.report, who, origin) };
    }
    default:
      throw invalid("body", "the frame asks for nothing this service knows", {
        fix: "send attach, detach, decide or report",
      });
  }
}

/** Remembers which sessions are attached and which calls run, from what their peer was answered. */
function note(attached: Attached, asked: ExchangeRequest["body"], answered: Body): void {
  if (answered.case === "attached") attached.attached(answered.value.handle ?? 0);
  if (asked.case === "decide" && asked.value.call && answered.case === "decided") {
    attached.decided(asked.value.handle, asked.value.call, answered.value as DecideResponse);
  }
  if (answered.case === "reported" && answered.value.outcome !== Outcome.RUNNING) {
    attached.reported(answered.value.decisionId ?? "");
  }
}

/** The audience of all streams: it hears of what has changed, and looks at the time while there are streams. */
function openAudience({ standing, clock, newsPause }: Options) {
  const turns = systemTurnRoom(newsPause, TELLING_MS_MAX);
  const audience = createAudience({ turns, nowMs: () => performance.now() });
  let streams = 0;
  let looking: NodeJS.Timeout | undefined;
  standing.subscribe({
    tenantMoved: audience.tenantMoved,
    sessionsEnded: (sessionIds, state) => audience.sessionsEnded(sessionIds, `session_${state}`),
  });
  return {
    audience,
    opened(): void {
      streams++;
      looking ??= setInterval(() => audience.look(clock.now()), LOOK_EVERY_MS).unref();
    },
    closed(): void {
      if (--streams > 0) return;
      clearInterval(looking);
      looking = undefined;
    },
  };
}

/** `Exchange`: decisions, reports and notices of many sessions over one stream, many in flight at once. */
export function createExchange(options: Options): Exchange {
  const { desk, standing, clock, streamLifeMs } = options;
  const { audience, opened, closed } = openAudience(options);

  const open = (call: Call, out: Outgoing<ExchangeResponse>) => {
    const say = (frame: bigint, body: Body) => out.send(create(ExchangeResponseSchema, { frame, body }));
    const notify = (body: NoticeBody) => {
      try {
        say(0n, { case: "notice", value: { body } });
      } catch (error) {
        // News comes from rooms that must not fail because of one stream.
        out.end(error);
      }
    };
    const attached = createAttached({ standing, now: clock.now, notify, audience });
    opened();
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
        const answered = await answer(desk, call, attached, body);
        say(frame, answered);
        note(attached, body, answered);
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
        // What could not even be said ends the stream: its peer asks again what it has no answer to.
        handle(request)
          .catch((error: unknown) => out.end(error))
          .finally(finished);
      },
      closed() {
        clearTimeout(life);
        attached.closed();
        closed();
        halfClosed = true;
        if (inFlight === 0) out.end();
      },
      draining: askToMove,
    };
  };

  return { rpc: open, handles: () => audience.size };
}

function reconnect(withinMs: number): Body {
  return { case: "notice", value: { body: { case: "reconnect", value: { within: durationFromMs(withinMs) } } } };
}
