import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Pause } from "../../foundation/in-slices.ts";
import { isHeavy, textPieces } from "../../foundation/weight.ts";
import { createPen, type Encoded, type Pen } from "./pen.ts";
import { isStruct, ofField, partsOf, runsOf } from "./split-message.ts";
import { listBytes, structBytes, valueBytes } from "./write-struct.ts";

const headOf = (no: number, length: number) =>
  new BinaryWriter().tag(no, WireType.LengthDelimited).uint32(length).finish();

/** A field whose length stands before it. */
async function delimited(no: number, pen: Pen, write: (inside: Pen) => Promise<void>): Promise<void> {
  const inside = pen.another();
  await pen.rest();
  await write(inside);
  const { written } = inside;
  await pen.add(headOf(no, written.length));
  pen.take(written);
}

async function writeText(pen: Pen, text: string): Promise<void> {
  for (const piece of textPieces(text)) await pen.add(Buffer.from(piece));
}

/** The numbers of google.protobuf.Value's kinds. */
const [TEXT, OBJECT, LIST] = [3, 5, 6] as const;

async function writeValue(pen: Pen, value: JsonValue): Promise<void> {
  if (!isHeavy(value) || typeof value !== "object" || value === null) {
    if (typeof value !== "string") return pen.add(valueBytes(value));
    return delimited(TEXT, pen, (inside) => writeText(inside, value));
  }
  if (!Array.isArray(value)) return delimited(OBJECT, pen, (inside) => writeStruct(inside, value));
  return delimited(LIST, pen, async (inside) => {
    for (const part of runsOf(value)) {
      if (part.kind === "run") await inside.add(listBytes(part.items));
      else await delimited(1, inside, (one) => writeValue(one, part.item));
    }
  });
}

async function writeStruct(pen: Pen, object: JsonObject): Promise<void> {
  for (const part of runsOf(Object.entries(object))) {
    if (part.kind === "run") {
      await pen.add(structBytes(part.items));
      continue;
    }
    const [name, value] = part.item;
    await delimited(1, pen, async (entry) => {
      await delimited(1, entry, (inside) => writeText(inside, name));
      await delimited(2, entry, (inside) => writeValue(inside, value));
    });
  }
}

async function writeHeavy(pen: Pen, field: DescField, value: unknown): Promise<void> {
  const { number, message } = field;
  if (!message) return delimited(number, pen, (inside) => writeText(inside, value as string));
  if (isStruct(message)) return delimited(number, pen, (inside) => writeStruct(inside, value as JsonObject));
  return delimited(number, pen, (inside) => writeMessage(inside, message, value as Message));
}

async function writeItems(pen: Pen, schema: DescMessage, field: DescField, items: readonly unknown[]): Promise<void> {
  for (const part of runsOf(items)) {
    if (part.kind === "run") await pen.add(toBinary(schema, ofField(schema, field, part.items)));
    else await writeHeavy(pen, field, part.item);
  }
}

async function writeMessage(pen: Pen, schema: DescMessage, message: Message): Promise<void> {
  for (const part of partsOf(schema, message)) {
    if (part.kind === "light") await pen.add(toBinary(schema, part.message));
    else if (part.field.fieldKind === "list") await writeItems(pen, schema, part.field, part.value as unknown[]);
    else await writeHeavy(pen, part.field, part.value);
  }
}

/**
 * Protobuf's bytes of a long message, made in slices, between which it awaits `pause`: what `toBinary` makes, or what
 * means the same. The parts of a message stand one after the other, as those of the whole do.
 */
export async function encodeInSlices(schema: DescMessage, message: Message, pause: Pause): Promise<Encoded> {
  const pen = createPen(pause);
  await pen.rest();
  await writeMessage(pen, schema, message);
  return pen.written;
}
