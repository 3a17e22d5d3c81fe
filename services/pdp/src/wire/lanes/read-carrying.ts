import { type DescField, type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { readStruct } from "./read-struct.ts";
import { carriesValues } from "./weigh.ts";

type CarryingField = DescField & { readonly fieldKind: "message" | "list"; readonly message: DescMessage };

const isStruct = ({ typeName }: DescMessage) => typeName === "google.protobuf.Struct";

interface Carrying {
  readonly fields: ReadonlyMap<number, CarryingField>;
  /** By the numbers of their other members: oneofs of which a member carries values. */
  readonly oneofs: ReadonlyMap<number, string>;
}

const known = new WeakMap<DescMessage, Carrying>();

function carryingOf(schema: DescMessage): Carrying {
  const there = known.get(schema);
  if (there) return there;
  const fields = new Map<number, CarryingField>();
  for (const field of schema.fields) {
    const { message, fieldKind, number } = field;
    if (!message || !carriesValues(message)) continue;
    const isRead = isStruct(message) || !message.typeName.startsWith("google.protobuf.");
    if (isRead && (fieldKind === "message" || fieldKind === "list")) fields.set(number, field as CarryingField);
  }
  const named = new Set([...fields.values()].flatMap(({ oneof }) => oneof?.localName ?? []));
  const others = schema.fields.filter(
    ({ number, oneof }) => oneof && named.has(oneof.localName) && !fields.has(number),
  );
  const made = { fields, oneofs: new Map(others.map(({ number, oneof }) => [number, oneof?.localName ?? ""])) };
  known.set(schema, made);
  return made;
}

/** The bytes of one field, of which what stands several times is put together: as protobuf merges messages. */
interface Part {
  readonly field: CarryingField;
  readonly bytes: Uint8Array[];
}

/** Takes a message apart: fields that carry values, and the bytes of all others. */
function apart({ fields, oneofs }: Carrying, bytes: Uint8Array) {
  const reader = new BinaryReader(bytes);
  const parts = new Map<string, Part>();
  const rest: Uint8Array[] = [];
  let listed = 0;
  while (reader.pos < bytes.length) {
    const from = reader.pos;
    const [no, type] = reader.tag();
    const field = fields.get(no);
    if (!field || type !== WireType.LengthDelimited) {
      reader.skip(type, no);
      rest.push(bytes.subarray(from, reader.pos));
      // Of a oneof the last member counts.
      const oneof = oneofs.get(no);
      if (oneof !== undefined) parts.delete(oneof);
      continue;
    }
    const inside = reader.bytes();
    const place = field.fieldKind === "list" ? `${field.localName} ${listed++}` : (field.oneof ?? field).localName;
    const before = parts.get(place);
    if (before?.field === field) before.bytes.push(inside);
    else parts.set(place, { field, bytes: [inside] });
  }
  return { parts, rest };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Reads a message that carries calls as the library does, but for the objects in it, which are read by {@link readStruct}.
 * Throws for bytes that are none.
 */
export function readCarrying(schema: DescMessage, bytes: Uint8Array): Message {
  const { parts, rest } = apart(carryingOf(schema), bytes);
  const message = fromBinary(schema, parts.size === 0 ? bytes : joined(rest), { readUnknownFields: false });
  const fields = message as unknown as Record<string, unknown>;
  for (const { field, bytes: inside } of parts.values()) {
    const { message: inner, oneof, localName } = field;
    const value = isStruct(inner) ? readStruct(joined(inside)) : readCarrying(inner, joined(inside));
    if (oneof) fields[oneof.localName] = { case: localName, value };
    else if (field.fieldKind === "list") (fields[localName] as unknown[]).push(value);
    else fields[localName] = value;
  }
  return message;
}
