import process from "node:process";
import { text } from "node:stream/consumers";
import type { Io } from "./cli.ts";
import { wantsColour } from "./paint.ts";
import { run } from "./run.ts";
import { exitCodes } from "./stop.ts";

const CLEAR_LINE = "\r\x1b[2K";

function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  return {
    out: (line) => stdout.write(`${line}\n`),
    err: (line) => stderr.write(`${line}\n`),
    progress: (line) => {
      if (stderr.isTTY) stderr.write(CLEAR_LINE + line);
    },
    env,
    colour: wantsColour(stdout.isTTY, env),
    stdin: () => text(stdin),
  };
}

// A reader that has seen enough, such as `head`, closes the pipe: there is nobody left to tell.
process.stdout.on("error", () => process.exit(exitCodes.ok));
process.exitCode = await run(processIo(), process.argv.slice(2));
