import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { usage } from "../stop.ts";
import type { Played } from "./tally.ts";

/** One JSON object a call: `line, run, step, tool, effect, code, rules`, and `would` of what was only observed. */
export interface ResultsFile {
  add(played: Played): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for results, replacing one that is there. */
export async function openResults(path: string): Promise<ResultsFile> {
  const stream = createWriteStream(path);
  try {
    await once(stream, "open");
  } catch (error) {
    throw usage(`--results cannot write ${path}: ${(error as Error).message}`);
  }
  return {
    async add({ line, run, step, tool, effect, code, rules, would }) {
      const text = `${JSON.stringify({ line, run, step, tool, effect, code, rules, would })}\n`;
      if (!stream.write(text)) await once(stream, "drain");
    },
    async close() {
      stream.end();
      await finished(stream);
    },
  };
}
