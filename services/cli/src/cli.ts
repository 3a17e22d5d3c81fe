import type { Clients } from "./clients.ts";
import { painter } from "./paint.ts";

/** Where a command reads and writes. Tests hold the other end. */
export interface Io {
  /** One line of the answer. */
  out(line: string): void;
  /** One line about the work: notes, warnings, errors. */
  err(line: string): void;
  /** Rewrites the line in which progress is shown; says nothing where no person watches. Empty wipes it. */
  progress(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly colour: boolean;
  /** Reads all of standard input. */
  stdin(): Promise<string>;
}

/** What every command works with. */
export interface Cli {
  readonly io: Io;
  /** Clients of the service that the environment names; `sessionToken` goes before REMIT_SESSION. */
  clients(options?: { readonly sessionToken?: string | undefined }): Clients;
}

/** The painter for a command's output. */
export function paintFor(io: Io) {
  return painter(io.colour);
}

/** Writes one JSON value over several lines, as people and jq both read it. */
export function printJson(io: Io, value: unknown): void {
  io.out(JSON.stringify(value, null, 2));
}
