import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Header } from "../http2/header-block.ts";
import { grpcMessage } from "../http2/prepared.ts";
import { lastWords, type Processes } from "../run/processes.ts";
import { type LatencyUs, latencyRecorder } from "./latency.ts";

const program = "h2load";

/** What `h2load --version` says, or undefined where it is not installed. */
export function h2loadVersion(): string | undefined {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

export const h2loadAbsent = "h2load is not installed (Debian: nghttp2-client): no second opinion on our own client";

export interface H2loadRun {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: readonly Header[];
  /** An encoded message. h2load sends the same bytes each time, so no call id in it ever changes. */
  readonly body: Uint8Array;
  readonly inFlight: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Where the prepared frame and the log may be written. */
  readonly folder: string;
}

export interface H2loadResult {
  readonly perSecond: number;
  readonly failed: number;
  readonly latencyUs: LatencyUs;
}

/** h2load's standard output: requests a second, and how many failed. Throws when it says neither. */
export function parseSummary(output: string): { perSecond: number; failed: number } {
  const rate = /finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1];
  const failed = /requests: .*?(\d+) failed/.exec(output)?.[1];
  if (rate === undefined || failed === undefined) throw new Error(`h2load said something unexpected:\n${output}`);
  return { perSecond: Number(rate), failed: Number(failed) };
}

/** h2load's log: a line a request of start (µs), status, duration (µs), separated by tabs. */
export function parseLog(log: string): LatencyUs {
  const latency = latencyRecorder();
  for (const line of log.split("\n")) {
    const [, status, durationUs] = line.split("\t");
    if (status === "200" && durationUs !== undefined) latency.recordMs(Number(durationUs) / 1000);
  }
  return latency.summary();
}

/** A closed loop of unary gRPC calls over one connection, driven by h2load. */
export async function runH2load(processes: Processes, core: string | undefined, run: H2loadRun): Promise<H2loadResult> {
  const bodyFile = join(run.folder, "h2load-body.bin");
  const logFile = join(run.folder, "h2load.log");
  await writeFile(bodyFile, grpcMessage(run.body));
  await writeFile(logFile, "");
  const seconds = (ms: number) => String(Math.max(1, Math.round(ms / 1000)));
  const headers = [["te", "trailers"], ["content-type", "application/grpc"], ...run.headers].flatMap(
    ([name, value]) => ["-H", `${name}: ${value}`],
  );
  const args = ["-c", "1", "-m", String(run.inFlight), "-D", seconds(run.durationMs), "-d", bodyFile];
  const child = processes.spawn({
    command: program,
    args: [
      ...args,
      `--warm-up-time=${seconds(run.warmupMs)}`,
      `--log-file=${logFile}`,
      ...headers,
      `http://${run.host}:${run.port}${run.path}`,
    ],
    core,
    stdin: "ignore",
  });
  if (child.stdout === null) throw new Error("h2load has no standard output");
  const output = await text(child.stdout);
  if (!output.includes("finished in")) throw new Error(`h2load failed\n${output}\n${lastWords(child)}`);
  return { ...parseSummary(output), latencyUs: parseLog(await readFile(logFile, "utf8")) };
}
