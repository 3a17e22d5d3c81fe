import { createReadStream } from "node:fs";
import { type LineProblem, readTraceLine, type TracedCall } from "./trace-line.ts";

const LINE_CHARS_MAX = 4 * 1024 * 1024;

// Only a line feed ends a line: the separators U+2028 and U+2029 may stand in a JSON string as they are.
async function* lines(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) throw new RangeError(`a line has more than ${LINE_CHARS_MAX} characters`);
    yield* parts;
  }
  decoder.decode();
  if (rest !== "") yield rest;
}

/** The calls of a JSONL log in order, or what is wrong with a line. Empty lines count and are passed over. */
export async function* readTrace(path: string): AsyncGenerator<TracedCall | LineProblem> {
  let line = 0;
  try {
    for await (const text of lines(path)) {
      line++;
      if (text.trim() !== "") yield readTraceLine(text, line);
    }
  } catch (error) {
    const notText =
      error instanceof TypeError && (error as NodeJS.ErrnoException).code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    if (!notText && !(error instanceof RangeError)) throw error;
    yield { line: line + 1, message: notText ? "not UTF-8" : error.message };
  }
}
