import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { LoadResult, LoadSpec, RunResult } from "../load/spec.ts";
import { failedShare } from "./compare.ts";
import { foreignBusy } from "./core-times.ts";
import { lastWords, type Processes } from "./processes.ts";

const failedShareMax = 0.5;
const clientFile = fileURLToPath(new URL("../load/client.ts", import.meta.url));

/**
 * One short run by a client process of its own. Throws when it could not be measured: the client failed, most calls got
 * no good answer, or a sampled answer was not what the run is about. Fewer failures are a finding, and reported.
 */
export async function measure(
  processes: Processes,
  core: string | undefined,
  name: string,
  spec: LoadSpec,
): Promise<RunResult> {
  const foreign = await foreignBusy();
  const child = processes.spawn({ command: process.execPath, args: [clientFile], core, stdin: "pipe" });
  if (child.stdin === null || child.stdout === null) throw new Error("the client has no pipes");
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
  });
  child.stdin.end(JSON.stringify(spec));
  const [out, code] = await Promise.all([text(child.stdout), ended]);
  if (code !== 0) throw new Error(`${name}: the load generator failed\n${lastWords(child)}`);
  const result: LoadResult = JSON.parse(out);
  const problem = Object.keys(result.problems)[0];
  if (problem !== undefined) throw new Error(`${name}: ${problem}`);
  if (failedShare(result) > failedShareMax)
    throw new Error(`${name}: most calls got no answer: ${JSON.stringify(result.failures)}`);
  return { ...result, foreignBusy: foreign };
}
