import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRowReader } from "./long-rows.ts";

type Column = string | null;

function message(code: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(code, "latin1");
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function rowOf(columns: readonly Column[]): Buffer {
  const parts = columns.flatMap((column) => {
    const bytes = Buffer.from(column ?? "", "utf8");
    return [int32(column === null ? -1 : bytes.length), bytes];
  });
  return message("D", Buffer.concat([int16(columns.length), ...parts]));
}

/** What was passed on and which rows were read, in their order: bytes in hex, joined where nothing came between. */
function readIn(chunks: Iterable<Buffer>) {
  const said: (readonly Column[] | string)[] = [];
  const reader = createRowReader({
    pass: (bytes) => {
      const hex = bytes.toString("hex");
      if (typeof said.at(-1) === "string") said.push(`${said.pop()}${hex}`);
      else said.push(hex);
    },
    row: (columns) => said.push(columns),
  });
  for (const chunk of chunks) reader.read(chunk);
  return { said, answerBytes: reader.answerBytes() };
}

/** What a failing test can print. */
const shortly = (one: readonly Column[] | string) =>
  (typeof one === "string" ? [one] : one).map((text) =>
    text === null || text.length < 40 ? text : `${text.length}: ${createHash("sha256").update(text).digest("hex")}`,
  );

function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let [at, n] = [0, 0]; at < bytes.length; n++) {
    const end = at + (lengths[n % lengths.length] ?? 1);
    yield bytes.subarray(at, end);
    at = end;
  }
}

// Of one byte to four, so that pieces and chunks end within some.
const long = fc
  .tuple(fc.constantFrom("a", "ä", "€", "𝄞", '"\\\u0000'), fc.integer({ min: 20_000, max: 400_000 }), fc.string())
  .map(([unit, times, end]) => `${end}${unit.repeat(times)}${end}`);
const short = fc.oneof(fc.string({ unit: "binary" }), fc.constant(null), fc.constant(""));
const row = fc.array(fc.oneof({ weight: 3, arbitrary: short }, { weight: 1, arbitrary: long }), { maxLength: 5 });
const other = fc
  .tuple(fc.constantFrom("T", "Z", "C", "d", "D"), fc.uint8Array({ maxLength: 300 }))
  .map(([code, body]) => message(code, Buffer.from(body)));

test("long rows are what was sent, and all else is passed on in its order, wherever chunks end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(row, other), { maxLength: 6 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 }),
      (sent, lengths) => {
        const expected: (readonly Column[] | string)[] = [];
        const messages = sent.map((one) => {
          const bytes = Buffer.isBuffer(one) ? one : rowOf(one as Column[]);
          if (!Buffer.isBuffer(one) && bytes.length > 64 * 1024 + 1) expected.push(one as Column[]);
          else if (typeof expected.at(-1) === "string") expected.push(`${expected.pop()}${bytes.toString("hex")}`);
          else expected.push(bytes.toString("hex"));
          return bytes;
        });
        // Pieces of a few bytes, of megabytes, would be all that is tested.
        const some = lengths.some((length) => length > 1_000) ? lengths : [...lengths, 30_000];
        const { said } = readIn(cut(Buffer.concat(messages), some));
        expect(said.map(shortly)).toEqual(expected.map(shortly));
      },
    ),
    { numRuns: 150 },
  );
});

test("an answer is counted until the server is ready for the next question", () => {
  const rows = rowOf(["x".repeat(100_000)]);
  const ready = message("Z", Buffer.from("I"));
  expect(readIn([rows, rows]).answerBytes).toBe(2 * rows.length);
  expect(readIn([rows, ready]).answerBytes).toBe(0);
});

test("what is no message of the protocol is passed on, for the driver to refuse", () => {
  const wrong = Buffer.from([0x45, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
  expect(readIn([wrong]).said).toEqual([wrong.toString("hex").slice(0, 10)]);
});
