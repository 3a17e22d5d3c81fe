import type { StoreRules } from "./store-rules.ts";

/** The rules of the protocol around the commit, the first of each; the others are ways to get it wrong. */
export interface WorldRules {
  readonly store: StoreRules;
  /** What shutting a writer out does about a statement that runs. */
  readonly fence: "waits" | "does_not_wait" | "does_nothing";
  /** What a statement asks before it does anything. */
  readonly statement: "finds_its_writer_alive" | "does_not_ask";
  readonly lookUp: "reads" | "reads_what_was_there_before_the_fence" | "finds_nothing";
  /** What a lost acknowledgement is told as. */
  readonly lost: "unknown" | "not_recorded";
  /** What fewer rows than were sent are told as. */
  readonly fewer: "left_out" | "fenced" | "all_there";
  /** What the numbers of the next batch go on from. */
  readonly numbers: "greatest" | "as_many_as_were_sent";
}

export interface Connection {
  gone: boolean;
  /** Fails what waits for an answer. */
  breakOff: () => void;
  /** Whether the backend dies with its connection. */
  killed: boolean;
  readonly lost: Promise<void>;
  readonly tellLost: () => void;
}

/** A writer: its row and its connection. */
export interface Lane {
  readonly epoch: bigint;
  readonly replica: string;
  alive: boolean;
  /** The greatest number that was recorded. */
  last: bigint;
  /** Settles when the statement that holds the row has ended. */
  locked: Promise<void> | null;
  readonly connection: Connection;
}

export function newConnection(): Connection {
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<void>();
  return { gone: false, killed: false, breakOff: () => {}, lost, tellLost };
}
