import { fileURLToPath } from "node:url";
import { laneTarget } from "../run/lane-target.ts";
import { firstLine, type Processes } from "../run/processes.ts";
import type { Subject } from "../run/subject.ts";
import { callInput, decideBytes, decideJson } from "./messages.ts";
import type { EchoAddresses } from "./server.ts";

const serverFile = fileURLToPath(new URL("./server.ts", import.meta.url));

export interface Echo extends Subject {
  readonly grpcPort: number;
}

/** Starts the echo server on its core. Its requests are as large as those it is compared with. */
export async function startEcho(
  processes: Processes,
  core: string | undefined,
  tool: string,
  fillerBytes: number,
): Promise<Echo> {
  const child = processes.spawn({ command: process.execPath, args: [serverFile], core, stdin: "pipe" });
  const { grpcPort, connectPort } = await firstLine(child, 20_000, (line): EchoAddresses => JSON.parse(line));
  const input = callInput(fillerBytes);
  const bodies = { binary: decideBytes(tool, input), json: decideJson(tool, input) };
  // As long as the real ones, so that the header frames cost the same.
  const credentials = { callerKey: "k".repeat(46), sessionTokens: sessionStandIns.map((letter) => letter.repeat(260)) };
  return {
    name: "echo",
    grpcPort,
    spec: (lane, load, phases) => ({
      host: "127.0.0.1",
      port: lane === "json" ? connectPort : grpcPort,
      target: laneTarget(lane, credentials, bodies),
      inspect: "fresh-allow",
      idPrefix: "echo",
      load,
      phases,
    }),
  };
}

const sessionStandIns = ["a", "b", "c", "d"];
