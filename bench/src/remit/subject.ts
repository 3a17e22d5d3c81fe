import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DecideRequestSchema, DecideResponseSchema } from "@remit/proto/decision";
import { callContext, callInput, decideBytes, decideJson } from "../echo/messages.ts";
import type { Phases } from "../load/loops.ts";
import type { Load, LoadSpec } from "../load/spec.ts";
import { type Credentials, decidePath, laneTarget } from "../run/lane-target.ts";
import type { Processes } from "../run/processes.ts";
import { rawClient } from "../run/raw-client.ts";
import type { Subject } from "../run/subject.ts";
import { clientsOf } from "./clients.ts";
import { benchAgentName, benchTool, paymentsDocuments } from "./payments.ts";
import { openSessions, type SeedDocuments, seed } from "./seed.ts";
import { type Served, type ServeOptions, serveRemit } from "./serve.ts";

export interface RemitOptions extends ServeOptions {
  /** In the tables; `decide` unless it is told. */
  readonly name?: string;
  /** What the measured call is judged by; `paymentsDocuments` unless they are given. */
  readonly documents?: SeedDocuments;
}

export interface RemitSubject extends Subject {
  readonly served: Served;
  /** Of the caller that asks, and the measured sessions. */
  readonly credentials: Credentials;
  /** What one measured call holds: how many budgets. */
  readonly holds: number;
  /** Of the canonical entry that one measured Decide leaves in the ledger. */
  readonly entryBytes: number;
  /** Guarded calls through the SDK. */
  guarded(load: Load, phases: Phases): LoadSpec;
}

/** A session has at most 64 calls in flight; the most measured at once is 128. */
const sessions = 4;

/** Starts the service, sets it up and asks it once, to see that the measured call is allowed and how large its entry is. */
export async function startRemit(
  processes: Processes,
  core: string | undefined,
  folder: string,
  fillerBytes: number,
  { name = "decide", documents = paymentsDocuments, ...serving }: RemitOptions = {},
): Promise<RemitSubject> {
  const served = await serveRemit(processes, core, folder, serving);
  const owner = clientsOf(served, served.ownerKey);
  await seed(owner, documents);
  const credentials = await openSessions(served, benchAgentName, sessions);
  const input = callInput(fillerBytes);
  const bodies = { binary: decideBytes(benchTool, input), json: decideJson(benchTool, input) };

  const client = rawClient(served.grpcPort);
  const first = create(DecideRequestSchema, { ...fromBinary(DecideRequestSchema, bodies.binary), callId: "first" });
  const headers = [
    ["authorization", `Bearer ${credentials.callerKey}`],
    ["remit-session", credentials.sessionTokens[0] ?? ""],
  ] as const;
  const answer = await client.call(decidePath, headers, toBinary(DecideRequestSchema, first));
  client.close();
  const { decisionId, holds } = fromBinary(DecideResponseSchema, answer);
  const { decision } = await owner.ledger.getDecision({ decisionId });
  return {
    served,
    credentials,
    holds: holds.length,
    guarded: (load, phases) => ({
      host: "127.0.0.1",
      port: served.grpcPort,
      target: {
        kind: "guarded",
        key: credentials.callerKey,
        agent: benchAgentName,
        sessions,
        tool: benchTool,
        input,
        context: callContext,
      },
      inspect: "nothing",
      idPrefix: "",
      load,
      phases,
    }),
    name,
    entryBytes: Buffer.byteLength(decision?.canonical ?? ""),
    spec: (lane, load, phases) => ({
      host: "127.0.0.1",
      port: lane === "json" ? served.httpPort : served.grpcPort,
      target: laneTarget(lane, credentials, bodies),
      inspect: "fresh-allow",
      idPrefix: runPrefix(),
      load,
      phases,
    }),
  };
}

/** Every run has ids of its own: a repeated id would be answered from memory. */
function runPrefix(): string {
  return `r${process.hrtime.bigint() % 10_000_000_000n}`;
}
