import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { DecideRequestSchema, DecideResponseSchema } from "@remit/proto/decision";
import { type LatencyUs, latencyRecorder } from "../../src/load/latency.ts";
import type { RawClient } from "../../src/run/raw-client.ts";

const path = "/remit.v1.DecisionService/Decide";

/** A session and what proves it. */
export interface Proved {
  readonly id: string;
  readonly token: string;
}

export interface Asker {
  readonly client: RawClient;
  readonly callerKey: string;
  readonly tool: string;
  readonly input: object;
  readonly context: object;
}

let asked = 0;

function bytes({ tool, input, context }: Asker): Uint8Array {
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  return toBinary(
    DecideRequestSchema,
    create(DecideRequestSchema, {
      ...{ callId: `scale-${asked++}`, tool, supportedConstraints: ["timeout"] },
      input: { case: "inputJson", value: json(input) },
      context: { case: "contextJson", value: json(context) },
    }),
  );
}

async function askOnce(asker: Asker, { token }: Proved): Promise<void> {
  const headers = [
    ["authorization", `Bearer ${asker.callerKey}`],
    ["remit-session", token],
  ] as const;
  const answer = fromBinary(DecideResponseSchema, await asker.client.call(path, headers, bytes(asker)));
  if (answer.effect === Effect.ALLOW) return;
  throw new Error(`a call was not allowed: ${answer.reason?.code}`);
}

/** Asks one call for each session, `inFlight` at a time. Every call must be allowed. */
export async function askEach(asker: Asker, sessions: readonly Proved[], inFlight: number): Promise<LatencyUs> {
  const recorder = latencyRecorder();
  const waiting = sessions.values();
  const work = async () => {
    for (const session of waiting) {
      const beganMs = performance.now();
      await askOnce(asker, session);
      recorder.recordMs(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return recorder.summary();
}
