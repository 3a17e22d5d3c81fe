import { create, type DescMessage, type Message, mergeFromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Fault, invalid } from "../../foundation/fault.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { notThat, requireFewRecords, tooManyRecords } from "./decode.ts";

/** What is read between two pauses. */
const SLICE_BYTES = 256 * 1024;
const SLICE_PARTS = 1_000;

/** Chunks of a body in one piece of memory. */
export async function joinedInSlices(chunks: readonly Uint8Array[], length: number, pause: Pause): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafeSlow(length);
  let [at, paused] = [0, 0];
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
    if (at - paused < SLICE_BYTES) continue;
    paused = at;
    await pause();
  }
  return whole;
}

/** Refuses what would be read in one piece, such as a message that carries values, and is longer than a part may be. */
export function requireOnePart(bytes: number): void {
  if (bytes <= limits.adminPartBytesMax) return;
  throw invalid("", `the request has ${bytes} bytes, and is read as one part`, {
    limit: `adminPartBytesMax: ${limits.adminPartBytesMax} bytes`,
    fix: "send less, or split it",
  });
}

function requireShort(schema: DescMessage, no: number, bytes: number): void {
  if (bytes <= limits.adminPartBytesMax) return;
  const name = schema.fields.find(({ number }) => number === no)?.jsonName ?? "";
  throw invalid(name, `one of ${name || "its fields"} has ${bytes} bytes`, {
    limit: `adminPartBytesMax: ${limits.adminPartBytesMax} bytes`,
    fix: "send each document in a file of its own, as `remit` does, and a longer policy as several",
  });
}

/**
 * Reads a long message, that carries no calls, in slices; between them it awaits `pause`. Protobuf reads the parts of a message one after
 * the other as it reads the whole. A `Fault` of kind invalid says what is wrong with the bytes.
 */
export async function decodeInSlices(schema: DescMessage, bytes: Uint8Array, pause: Pause): Promise<Message> {
  const message = create(schema);
  const reader = new BinaryReader(bytes);
  let [from, parts, read] = [0, 0, 0];
  try {
    while (reader.pos < bytes.length) {
      const start = reader.pos;
      const [no, type] = reader.tag();
      reader.skip(type, no);
      requireShort(schema, no, reader.pos - start);
      if (++parts > limits.messageRecordsMax) throw tooManyRecords();
      requireFewRecords(schema, bytes.subarray(start, reader.pos));
      if (parts - read < SLICE_PARTS && reader.pos - from < SLICE_BYTES && reader.pos < bytes.length) continue;
      mergeFromBinary(schema, message, bytes.subarray(from, reader.pos), { readUnknownFields: false });
      [from, read] = [reader.pos, parts];
      await pause();
    }
    return message;
  } catch (error) {
    throw error instanceof Fault ? error : notThat(schema, error);
  }
}
