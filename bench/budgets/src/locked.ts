import { fileURLToPath } from "node:url";
import { callInput, decideBytes, decideJson } from "../../src/echo/messages.ts";
import { benchTool } from "../../src/remit/payments.ts";
import { laneTarget } from "../../src/run/lane-target.ts";
import { firstLine, type Processes } from "../../src/run/processes.ts";
import type { Subject } from "../../src/run/subject.ts";

const serverFile = fileURLToPath(new URL("./locked-server.ts", import.meta.url));

/** Starts the server that locks four rows a call, with a durable Postgres of its own, both on the same core. */
export async function startLocked(
  processes: Processes,
  core: string | undefined,
  { fillerBytes, entryBytes, connections }: { fillerBytes: number; entryBytes: number; connections: number },
): Promise<Subject> {
  const child = processes.spawn({
    command: process.execPath,
    args: [serverFile, String(entryBytes), String(connections)],
    core,
    stdin: "ignore",
  });
  const { grpcPort } = await firstLine(child, 60_000, (line): { grpcPort: number } | undefined =>
    line.startsWith("{") ? JSON.parse(line) : undefined,
  );
  const input = callInput(fillerBytes);
  const bodies = { binary: decideBytes(benchTool, input), json: decideJson(benchTool, input) };
  const credentials = { callerKey: "k".repeat(46), sessionTokens: ["a", "b"].map((letter) => letter.repeat(260)) };
  return {
    name: "locked",
    spec: (lane, load, phases) => ({
      host: "127.0.0.1",
      port: grpcPort,
      target: laneTarget(lane, credentials, bodies),
      inspect: "fresh-allow",
      idPrefix: `l${process.hrtime.bigint() % 10_000_000_000n}`,
      load,
      phases,
    }),
  };
}
