import { create } from "@bufbuild/protobuf";
import {
  DecideResponseSchema,
  DecisionService,
  type ExchangeRequest,
  type ExchangeResponse,
  ExchangeResponseSchema,
} from "@remit/proto/decision";
import { Fault, type FaultKind, type FaultReason } from "../../src/foundation/fault.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import type { Call, Duplex } from "../../src/wire/call.ts";
import { toCallError } from "../../src/wire/errors.ts";
import { type Served, serve } from "../../src/wire/lanes/served.ts";

/** A promise that its owner settles. */
export function gate<Value>() {
  const { promise, resolve } = Promise.withResolvers<Value>();
  return { passed: promise, open: resolve };
}

interface Flood {
  readonly taken: number;
  readonly reason: unknown;
}

/** A service that does what a call's id tells it to, and shows what it saw. */
export interface Toy {
  readonly served: Served;
  /** The reason of the last aborted signal, once there is one. */
  readonly aborted: Promise<unknown>;
  /** Resolves when a `hold` call has arrived. */
  readonly holding: Promise<void>;
  /** Lets held calls go. */
  release(): void;
  /** How a flood ended, once it has. */
  readonly flooded: Promise<Flood>;
  /** Streams whose input is over. */
  closedStreams(): number;
  openStreams(): number;
  readonly runs: string[];
  /** Calls back for each frame of a stream, as it comes. */
  whenFrame(frameCame: () => void): void;
  /** The same for each call of `decide`, with its id. */
  whenCall(callCame: (callId: string) => void): void;
}

const detail = { field: "tool", limit: "3 tools", fix: "ask for less" };
const floodBytes = 16 * 1024;

interface Gates {
  readonly aborted: ReturnType<typeof gate<unknown>>;
  readonly holding: ReturnType<typeof gate<void>>;
  readonly held: ReturnType<typeof gate<void>>;
  readonly flooded: ReturnType<typeof gate<Flood>>;
}

async function obey(callId: string, call: Call, gates: Gates): Promise<void> {
  const [word, rest = ""] = callId.split(":");
  if (word === "fault")
    throw new Fault(
      rest as FaultKind,
      `${rest}_reason` as FaultReason,
      `this is ${rest}`,
      detail,
      new Error("private"),
    );
  if (word === "boom") throw new TypeError("private: the password is swordfish");
  if (word === "quote")
    throw new Fault("invalid", "request_invalid", `\ud800 100% ${"é".repeat(5000)}`, { field: "\ud800" });
  if (word === "hold") {
    gates.holding.open();
    await gates.held.passed;
  }
  if (word === "wait") {
    gates.holding.open();
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve, { once: true }));
    gates.aborted.open(call.signal.reason);
    throw call.signal.reason;
  }
  if (word === "deaf") {
    gates.holding.open();
    call.signal.addEventListener("abort", () => gates.aborted.open(call.signal.reason), { once: true });
    await new Promise(() => {});
  }
}

export function createToy(): Toy {
  const gates: Gates = { aborted: gate<unknown>(), holding: gate<void>(), held: gate<void>(), flooded: gate<Flood>() };
  const runs: string[] = [];
  let closedStreams = 0;
  let openStreams = 0;
  let frameCame = () => {};
  let callCame = (_callId: string) => {};

  const answer = (tool: string, callId: string, call: Call) => {
    const bytes = callId.startsWith("big:") ? Number(callId.slice(4)) : 0;
    return create(DecideResponseSchema, {
      decisionId: tool,
      policyDigest: call.authorization ?? "none",
      permit: bytes > 0 ? "x".repeat(bytes) : (call.sessionToken ?? "none"),
      traceId: call.traceparent ?? "none",
      revision: call.deadlineMs === undefined ? 0n : BigInt(Math.round(call.deadlineMs)),
      transformedTool: call.lane,
    });
  };

  const exchange: Duplex<ExchangeRequest, ExchangeResponse> = (call, out) => {
    openStreams++;
    let inFlight = 0;
    let over = false;
    const endWhenDone = () => {
      if (over && inFlight === 0) out.end();
    };
    const flood = async () => {
      let taken = 0;
      const notice = {
        case: "notice",
        value: { body: { case: "halted", value: { reason: "x".repeat(floodBytes) } } },
      } as const;
      while (!call.signal.aborted) {
        out.send(create(ExchangeResponseSchema, { frame: 0n, body: notice }));
        taken++;
        await new Promise(setImmediate);
      }
      gates.flooded.open({ taken, reason: call.signal.reason });
    };
    if (call.authorization === "nobody") throw new Fault("unauthenticated", "token_invalid", "nobody may enter");
    return {
      receive({ frame, body }) {
        frameCame();
        const asked = body.case === "decide" ? body.value.call : undefined;
        const callId = asked?.callId ?? "";
        if (callId === "flood") return void flood();
        if (callId === "end") return out.end(new Fault("forbidden", "role_missing", "told to end"));
        inFlight++;
        obey(callId, call, gates)
          .then(
            () =>
              out.send(
                create(ExchangeResponseSchema, {
                  frame,
                  body: { case: "decided", value: answer(asked?.tool ?? "", callId, call) },
                }),
              ),
            (error: unknown) =>
              out.send(create(ExchangeResponseSchema, { frame, body: { case: "error", value: toCallError(error) } })),
          )
          .finally(() => {
            inFlight--;
            endWhenDone();
          });
      },
      closed() {
        closedStreams++;
        openStreams--;
        over = true;
        endWhenDone();
      },
      draining() {
        const body = { case: "notice", value: { body: { case: "reconnect", value: {} } } } as const;
        out.send(create(ExchangeResponseSchema, { frame: 0n, body }));
      },
    };
  };

  return {
    served: serve(DecisionService, {
      decide: async (request, call) => {
        runs.push(request.callId);
        callCame(request.callId);
        if (request.input.case === "inputObject") strictObject(request.input.value, "input");
        await obey(request.callId, call, gates);
        return answer(request.tool, request.callId, call);
      },
      exchange,
    }),
    aborted: gates.aborted.passed,
    holding: gates.holding.passed,
    release: () => gates.held.open(),
    flooded: gates.flooded.passed,
    closedStreams: () => closedStreams,
    openStreams: () => openStreams,
    runs,
    whenFrame: (callback) => {
      frameCame = callback;
    },
    whenCall: (callback) => {
      callCame = callback;
    },
  };
}
