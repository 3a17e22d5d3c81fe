import { access } from "node:fs/promises";
import type { Io } from "../cli.ts";
import { exitCodes, Stop, usage } from "../stop.ts";
import { isPrincipalPath, survey } from "../trace/survey.ts";
import { readTrace } from "../trace/trace-file.ts";
import type { TracedCall } from "../trace/trace-line.ts";

/** A whole log of calls, and for whom each run acts. Ends with 1 when it is none. */
export async function readLog(
  io: Io,
  file: string,
  principalPath: string | undefined,
): Promise<{ calls: TracedCall[]; principalOf: (run: string) => string }> {
  if (principalPath !== undefined && !isPrincipalPath(principalPath)) {
    throw usage(
      `--principal takes a path into a call, got ${JSON.stringify(principalPath)}`,
      "--principal context.user.id",
    );
  }
  await access(file).catch(() => {
    throw usage(`cannot read ${file}`, "--from FILE, one JSON object a line");
  });
  const { problems, principals } = await survey(readTrace(file), principalPath);
  for (const { line, message } of problems) io.err(`${file}:${line}: error: ${message}`);
  if (problems.length > 0) throw new Stop(exitCodes.no, "the log is not a log of tool calls; nothing was drafted");
  const calls: TracedCall[] = [];
  for await (const call of readTrace(file)) if (!("message" in call)) calls.push(call);
  return { calls, principalOf: (run) => principals.get(run) ?? "" };
}
