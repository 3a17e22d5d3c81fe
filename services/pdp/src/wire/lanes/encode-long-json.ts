import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import type { Pause } from "../../foundation/in-slices.ts";
import { isHeavy, textPieces } from "../../foundation/weight.ts";
import { createPen, type Encoded, type Pen } from "./pen.ts";
import { isStruct, ofField, partsOf, runsOf } from "./split-message.ts";

const add = (pen: Pen, text: string) => pen.add(Buffer.from(text));

/** Without the brackets, or quotes, around it. */
const inner = (value: JsonValue) => JSON.stringify(value).slice(1, -1);

async function writeText(pen: Pen, text: string): Promise<void> {
  await add(pen, '"');
  for (const piece of textPieces(text)) await add(pen, inner(piece));
  await add(pen, '"');
}

async function writeList<Item>(
  pen: Pen,
  items: readonly Item[],
  by: { readonly run: (items: readonly Item[]) => JsonValue; readonly item: (item: Item) => Promise<void> },
): Promise<void> {
  await add(pen, "[");
  await pen.rest();
  let comma = "";
  for (const part of runsOf(items)) {
    await add(pen, part.kind === "run" ? comma + inner(by.run(part.items)) : comma);
    if (part.kind === "alone") await by.item(part.item);
    comma = ",";
  }
  await add(pen, "]");
}

async function writeValue(pen: Pen, value: JsonValue): Promise<void> {
  if (typeof value === "string") return writeText(pen, value);
  if (!isHeavy(value) || typeof value !== "object" || value === null) return add(pen, JSON.stringify(value));
  if (!Array.isArray(value)) return writeStruct(pen, value);
  return writeList(pen, value, { run: (run) => [...run], item: (item) => writeValue(pen, item) });
}

async function writeStruct(pen: Pen, object: JsonObject): Promise<void> {
  await add(pen, "{");
  await pen.rest();
  let comma = "";
  for (const part of runsOf(Object.entries(object))) {
    await add(pen, part.kind === "run" ? comma + inner(Object.fromEntries(part.items)) : comma);
    comma = ",";
    if (part.kind === "run") continue;
    const [name, value] = part.item;
    await writeText(pen, name);
    await add(pen, ":");
    await writeValue(pen, value);
  }
  await add(pen, "}");
}

async function writeHeavy(pen: Pen, { message }: DescField, value: unknown): Promise<void> {
  if (!message) return writeText(pen, value as string);
  if (isStruct(message)) return writeStruct(pen, value as JsonObject);
  return writeMessage(pen, message, value as Message);
}

/** A run of a list's items, as the library has them. */
function listJson(schema: DescMessage, field: DescField, run: readonly unknown[]): JsonValue {
  const json = toJson(schema, ofField(schema, field, run)) as JsonObject;
  return json[field.jsonName] ?? [];
}

async function writeField(pen: Pen, schema: DescMessage, field: DescField, value: unknown): Promise<void> {
  if (field.fieldKind !== "list") return writeHeavy(pen, field, value);
  return writeList(pen, value as readonly unknown[], {
    run: (run) => listJson(schema, field, run),
    item: (item) => writeHeavy(pen, field, item),
  });
}

async function writeMessage(pen: Pen, schema: DescMessage, message: Message): Promise<void> {
  await add(pen, "{");
  await pen.rest();
  let comma = "";
  for (const part of partsOf(schema, message)) {
    const { kind } = part;
    const text = kind === "light" ? inner(toJson(schema, part.message)) : `${JSON.stringify(part.field.jsonName)}:`;
    if (text === "") continue;
    await add(pen, comma + text);
    comma = ",";
    if (kind === "heavy") await writeField(pen, schema, part.field, part.value);
  }
  await add(pen, "}");
}

/** The JSON of a long message in UTF-8, made in slices, between which it awaits `pause`: what `toJsonString` makes. */
export async function encodeJsonInSlices(schema: DescMessage, message: Message, pause: Pause): Promise<Encoded> {
  const pen = createPen(pause);
  await writeMessage(pen, schema, message);
  return pen.written;
}
