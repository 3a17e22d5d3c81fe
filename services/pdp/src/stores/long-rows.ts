import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Connection } from "pg";
import type { Pause } from "../foundation/in-slices.ts";

// The driver puts each row together in one piece of memory that grows as it comes, and then makes a text of each of its
// columns in one piece. For a row of two documents of two megabytes that holds the thread for longer than anything else
// about them. So rows that are long are read here, as they come, and handed over where the driver would have.

/** Longer rows are read here. */
const LONG_ROW_BYTES = 64 * 1024;
/** What is made a text at once. Shorter texts would be moved by collections, and longer ones take longer. */
const PIECE_BYTES = 256 * 1024;
/** Of one answer: how much comes before others are let in. */
const ANSWER_BYTES = 256 * 1024;

// https://www.postgresql.org/docs/current/protocol-message-formats.html
const HEADER_BYTES = 5;
const DATA_ROW = 0x44;
const READY_FOR_QUERY = 0x5a;

type Column = string | null;

const nothing = Buffer.alloc(0);

/** A row of which some has come. */
function createLongRow() {
  const columns: Column[] = [];
  const decoder = new StringDecoder("utf8");
  let piece = nothing;
  let filled = 0;
  let text = "";
  let count: number | undefined;
  let left = 0;
  /** As much of a column as there is, from `at` on; answers where it ends. */
  const fill = (bytes: Buffer, at: number): number => {
    if (piece.length === 0) piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    const some = bytes.copy(piece, filled, at, at + Math.min(left, PIECE_BYTES - filled));
    filled += some;
    left -= some;
    if (left > 0 && filled < PIECE_BYTES) return at + some;
    text += decoder.write(piece.subarray(0, filled));
    filled = 0;
    if (left === 0) {
      columns.push(text + decoder.end());
      text = "";
    }
    return at + some;
  };
  return {
    columns,
    isWhole: () => left === 0 && columns.length === count,
    /** Takes what there is, but for a number of which some is missing; answers where that begins. */
    take(bytes: Buffer, from: number): number {
      let at = from;
      for (;;) {
        const have = bytes.length - at;
        if (left > 0) {
          if (have === 0) return at;
          at = fill(bytes, at);
        } else if (count === undefined) {
          if (have < 2) return at;
          count = bytes.readInt16BE(at);
          at += 2;
        } else {
          if (columns.length === count || have < 4) return at;
          const length = bytes.readInt32BE(at);
          at += 4;
          if (length > 0) left = length;
          else columns.push(length === 0 ? "" : null);
        }
      }
    },
  };
}

interface Sink {
  /** What is for the driver to read. */
  readonly pass: (bytes: Buffer) => void;
  /** Instead of the message that it was. */
  readonly row: (columns: readonly Column[], bytes: number) => void;
}

/** Reads what a server says, in chunks however they come; whatever is not a long row is passed on, all of it in its order. */
export function createRowReader({ pass, row }: Sink) {
  // Of a header, or of a number, whose rest has not come.
  let rest: Buffer = nothing;
  // Of the message that is being passed on.
  let passing = 0;
  let long: (ReturnType<typeof createLongRow> & { readonly bytes: number }) | undefined;
  let answerBytes = 0;

  const takeLong = (bytes: Buffer, from: number): number => {
    if (!long) return from;
    const at = long.take(bytes, from);
    if (long.isWhole()) {
      row(long.columns, long.bytes);
      long = undefined;
    }
    return at;
  };
  return {
    /** So much has come of what is being answered. */
    answerBytes: () => answerBytes,
    read(chunk: Buffer): void {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      answerBytes += chunk.length;
      let [passed, at] = [0, 0];
      const passOn = () => {
        if (at > passed) pass(bytes.subarray(passed, at));
        passed = at;
      };
      while (at < bytes.length) {
        if (long) {
          at = takeLong(bytes, at);
          passed = at;
          if (long) break;
        } else if (passing > 0) {
          const some = Math.min(passing, bytes.length - at);
          passing -= some;
          at += some;
        } else if (bytes.length - at < HEADER_BYTES) {
          break;
        } else {
          const code = bytes[at];
          const length = bytes.readInt32BE(at + 1);
          if (code === READY_FOR_QUERY) answerBytes = 0;
          if (code === DATA_ROW && length > LONG_ROW_BYTES) {
            passOn();
            long = { ...createLongRow(), bytes: length };
            at += HEADER_BYTES;
            passed = at;
          } else passing = Math.max(HEADER_BYTES, 1 + length);
        }
      }
      passOn();
      rest = bytes.subarray(at);
    },
  };
}

interface Attaching {
  attachListeners(stream: Duplex): void;
}

/**
 * Has long rows of this connection read as they come, and of a long answer no more before `pause` than others can wait
 * for. `attachListeners` is the driver's, and missing in its types.
 */
export function readLongRows(connection: Connection, pause: Pause): void {
  const attaching = connection as unknown as Attaching;
  const attach = attaching.attachListeners.bind(connection);
  attaching.attachListeners = (stream) => {
    const driver = new EventEmitter();
    attach(driver as Duplex);
    const rows = createRowReader({
      pass: (bytes) => driver.emit("data", bytes),
      row: (fields, length) =>
        connection.emit("dataRow", { name: "dataRow", length, fieldCount: fields.length, fields }),
    });
    let pausedAtBytes = 0;
    stream.on("data", (chunk: Buffer) => {
      rows.read(chunk);
      const answerBytes = rows.answerBytes();
      if (answerBytes < pausedAtBytes) pausedAtBytes = 0;
      if (answerBytes - pausedAtBytes < ANSWER_BYTES) return;
      pausedAtBytes = answerBytes;
      stream.pause();
      void pause().finally(() => stream.resume());
    });
    stream.on("end", () => driver.emit("end"));
  };
}
