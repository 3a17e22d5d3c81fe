import type { Io } from "./cli.ts";

/** An `Io` for tests that keeps what is written. */
export function fakeIo(given: { stdin?: string; env?: Record<string, string> } = {}) {
  const outLines: string[] = [];
  const errLines: string[] = [];
  const io: Io & { outLines: string[]; errLines: string[] } = {
    outLines,
    errLines,
    out: (line) => outLines.push(line),
    err: (line) => errLines.push(line),
    progress: () => {},
    env: given.env ?? {},
    colour: false,
    stdin: async () => given.stdin ?? "",
  };
  return io;
}
