import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { isHeavy, PIECE_WEIGHT_MAX, weightOf } from "../../foundation/weight.ts";

export const isStruct = (schema: DescMessage | undefined): boolean => schema?.typeName === "google.protobuf.Struct";

/** Whether a value of such a field can be encoded in pieces. */
function splits(field: DescField): boolean {
  if (field.fieldKind === "list") return true;
  if (field.fieldKind === "scalar") return field.scalar === ScalarType.STRING;
  if (field.fieldKind !== "message") return false;
  return isStruct(field.message) || !field.message.typeName.startsWith("google.protobuf.");
}

/** Fields together that are encoded in one piece, or one field that is not. */
export type Part =
  | { readonly kind: "light"; readonly message: Message }
  | { readonly kind: "heavy"; readonly field: DescField; readonly value: unknown };

/** A message of one field. */
export function ofField(schema: DescMessage, field: DescField, value: unknown): Message {
  const message = create(schema);
  setField(message, field, value);
  return message;
}

function setField(message: Message, { oneof, localName }: DescField, value: unknown): void {
  const fields = message as unknown as Record<string, unknown>;
  if (oneof) fields[oneof.localName] = { case: localName, value };
  else fields[localName] = value;
}

/** The fields of a message that are set, in their order. */
function* fieldsOf(schema: DescMessage, message: Message): Generator<readonly [DescField, unknown]> {
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  for (const member of schema.members) {
    const value = fields[member.localName];
    if (member.kind !== "oneof") {
      if (value !== undefined) yield [member, value];
      continue;
    }
    const chosen = value as { readonly case?: string; readonly value?: unknown } | undefined;
    const field = member.fields.find(({ localName }) => localName === chosen?.case);
    if (field) yield [field, chosen?.value];
  }
}

/** A message in parts that together are the whole. */
export function* partsOf(schema: DescMessage, message: Message): Generator<Part> {
  let light: Message | undefined;
  for (const [field, value] of fieldsOf(schema, message)) {
    if (!splits(field) || !isHeavy(value)) {
      light ??= create(schema);
      setField(light, field, value);
      continue;
    }
    if (light) yield { kind: "light", message: light };
    light = undefined;
    yield { kind: "heavy", field, value };
  }
  if (light) yield { kind: "light", message: light };
}

/** Items that are encoded together, or one that is more than is encoded in one piece. */
export type Run<Item> =
  | { readonly kind: "run"; readonly items: readonly Item[] }
  | { readonly kind: "alone"; readonly item: Item };

/** The items of a list in runs. */
export function* runsOf<Item>(items: Iterable<Item>): Generator<Run<Item>> {
  let run: Item[] = [];
  let weight = 0;
  for (const item of items) {
    const more = weightOf(item, PIECE_WEIGHT_MAX);
    if (run.length > 0 && weight + more > PIECE_WEIGHT_MAX) {
      yield { kind: "run", items: run };
      [run, weight] = [[], 0];
    }
    if (more > PIECE_WEIGHT_MAX) {
      yield { kind: "alone", item };
      continue;
    }
    run.push(item);
    weight += more;
  }
  if (run.length > 0) yield { kind: "run", items: run };
}
