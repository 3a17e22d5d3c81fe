import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import type { Cli, Io } from "./cli.ts";
import { connectClients, targetFrom } from "./clients.ts";
import { failureOf } from "./failure.ts";
import { buildProgram } from "./program.ts";
import { type ExitCode, exitCodes } from "./stop.ts";

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Runs one command and answers what the process should end with. */
export async function run(io: Io, argv: readonly string[]): Promise<ExitCode> {
  const cli: Cli = { io, clients: (options) => connectClients(targetFrom(io.env, options?.sessionToken)) };
  let code: ExitCode = exitCodes.ok;
  const program = buildProgram(cli, version(), (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // Commander has printed its message; asking for help or the version is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const failure = failureOf(error);
    for (const line of failure.lines) io.err(line);
    return failure.code;
  }
}
