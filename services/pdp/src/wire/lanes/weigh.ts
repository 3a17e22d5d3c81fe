import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

const carrying = new WeakMap<DescMessage, boolean>();

/** Whether a message may hold a google.protobuf.Struct, at any depth. */
export function carriesValues(schema: DescMessage): boolean {
  const known = carrying.get(schema);
  if (known !== undefined) return known;
  // A message within itself adds nothing.
  carrying.set(schema, false);
  const carries =
    schema.typeName === "google.protobuf.Struct" ||
    schema.fields.some(({ message }) => message !== undefined && carriesValues(message));
  carrying.set(schema, carries);
  return carries;
}

/** What the records of a message hold, by their numbers. */
type Inside = ReadonlyMap<number, { readonly listed: boolean; readonly inside: () => Inside | undefined }>;

const insides = new WeakMap<DescMessage, Inside>();

function insideOf(schema: DescMessage): Inside {
  const known = insides.get(schema);
  if (known) return known;
  const inside: Inside = new Map(
    schema.fields.map((field) => {
      const { message } = field;
      const held = () => message && insideOf(message);
      // An entry of a map is a message of its own: the key is 1, the value 2.
      const entry: Inside = new Map([[2, { listed: false, inside: held }]]);
      const isMap = field.fieldKind === "map";
      return [
        field.number,
        { listed: field.fieldKind === "list" && message !== undefined, inside: isMap ? () => entry : held },
      ];
    }),
  );
  insides.set(schema, inside);
  return inside;
}

// An item of a ListValue takes two records, a member of a Struct four: item and member weigh the same.
const LIST_ITEM_MORE = 2;

/**
 * What decoding a message costs, in quarters of a value: a member of a Struct and an item of a ListValue are four, any other
 * record is one, or three in a list of messages. Reads tags and lengths alone, and stops at more than `atMost`. Throws for some bytes that are no message.
 */
export function quartersOf(schema: DescMessage, bytes: Uint8Array, atMost: number): number {
  const reader = new BinaryReader(bytes);
  let quarters = 0;
  const walk = (within: Inside, end: number): void => {
    while (reader.pos < end && quarters <= atMost) {
      const [no, wireType] = reader.tag();
      const field = within.get(no);
      quarters += field?.listed ? 1 + LIST_ITEM_MORE : 1;
      const inside = wireType === WireType.LengthDelimited ? field?.inside() : undefined;
      if (inside) walk(inside, reader.uint32() + reader.pos);
      else reader.skip(wireType, no);
    }
  };
  walk(insideOf(schema), bytes.length);
  return quarters;
}
