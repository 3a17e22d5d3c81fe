import { setTimeout } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Effect } from "@remit/proto/common";
import { DecisionService } from "@remit/proto/decision";
import { type LatencyUs, latencyRecorder } from "../../src/load/latency.ts";
import type { Served } from "../../src/remit/serve.ts";

export const TOOL = "bench.flip";

/** Asks one replica in one session. */
export interface Asking {
  /** Asks a call, which is recorded. */
  decide(): Promise<void>;
  /** Whether the call would be allowed now. Records nothing. */
  allowed(): Promise<boolean>;
}

let calls = 0;

export function askingOf(served: Served, key: string, token: string): Asking {
  const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${served.httpPort}`, httpVersion: "1.1" });
  const decisions = createClient(DecisionService, transport);
  const headers = { authorization: `Bearer ${key}`, "remit-session": token };
  const call = () => ({
    ...{ callId: `fresh-${calls++}`, tool: TOOL, input: { case: "inputJson", value: Buffer.from("{}") } as const },
  });
  return {
    async decide() {
      await decisions.decide(call(), { headers });
    },
    async allowed() {
      const { verdict } = await decisions.explain({ call: call() }, { headers });
      return verdict?.effect === Effect.ALLOW;
    },
  };
}

/** What calls took, and how many of them were told to come back. */
export interface Asked extends LatencyUs {
  readonly refused: number;
}

/** Between a call that was refused for now and the next one. */
const AGAIN_MS = 20;

/** Decides without end, so many calls at one time, until it is stopped; what stops it answers how long they took. */
export function keepAsking(askings: readonly Asking[], atOnce: number): () => Promise<Asked> {
  const recorder = latencyRecorder();
  let over = false;
  let refused = 0;
  const loop = async (asking: Asking): Promise<void> => {
    while (!over) {
      const beganMs = performance.now();
      try {
        await asking.decide();
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Unavailable) throw error;
        refused++;
        await setTimeout(AGAIN_MS);
      }
      recorder.recordMs(performance.now() - beganMs);
    }
  };
  const all = askings.flatMap((asking) => Array.from({ length: atOnce }, () => loop(asking)));
  return async () => {
    over = true;
    await Promise.all(all);
    return { ...recorder.summary(), refused };
  };
}
