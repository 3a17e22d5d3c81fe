import { type H2loadResult, runH2load } from "../load/h2load.ts";
import type { LoadSpec } from "../load/spec.ts";
import type { Cores } from "./machine.ts";
import type { Processes } from "./processes.ts";

/** A closed loop of the spec's first request by h2load instead of our own client. The spec must be a unary one. */
export async function secondOpinion(
  processes: Processes,
  cores: Cores,
  spec: LoadSpec,
  inFlight: number,
  folder: string,
): Promise<H2loadResult> {
  const request = spec.target.kind === "unary" ? spec.target.requests[0] : undefined;
  if (request === undefined) throw new Error("h2load drives unary calls only");
  return runH2load(processes, cores.client, {
    host: spec.host,
    port: spec.port,
    path: request.path,
    headers: request.headers,
    body: Buffer.from(request.body, "base64"),
    inFlight,
    warmupMs: spec.phases.warmupMs,
    durationMs: spec.phases.durationMs,
    folder,
  });
}
