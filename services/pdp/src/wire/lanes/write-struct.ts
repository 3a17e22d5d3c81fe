import type { JsonValue } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const { LengthDelimited, Varint, Bit64 } = WireType;

function writeValue(writer: BinaryWriter, value: JsonValue): void {
  switch (typeof value) {
    case "number":
      writer.tag(2, Bit64).double(value);
      return;
    case "string":
      writer.tag(3, LengthDelimited).string(value);
      return;
    case "boolean":
      writer.tag(4, Varint).bool(value);
      return;
  }
  if (value === null) {
    writer.tag(1, Varint).int32(0);
    return;
  }
  writer.tag(Array.isArray(value) ? 6 : 5, LengthDelimited).fork();
  if (Array.isArray(value)) writeItems(writer, value);
  else writeMembers(writer, Object.entries(value));
  writer.join();
}

function writeMembers(writer: BinaryWriter, members: readonly (readonly [string, JsonValue])[]): void {
  for (const [name, value] of members) {
    writer.tag(1, LengthDelimited).fork().tag(1, LengthDelimited).string(name).tag(2, LengthDelimited).fork();
    writeValue(writer, value);
    writer.join().join();
  }
}

function writeItems(writer: BinaryWriter, items: readonly JsonValue[]): void {
  for (const item of items) {
    writer.tag(1, LengthDelimited).fork();
    writeValue(writer, item);
    writer.join();
  }
}

const written = <Value>(write: (writer: BinaryWriter, value: Value) => void, value: Value): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer, value);
  return writer.finish();
};

/** Members of an object as a google.protobuf.Struct has them, without a message for each value on the way. */
export const structBytes = (members: readonly (readonly [string, JsonValue])[]) => written(writeMembers, members);
/** Items of a google.protobuf.ListValue. */
export const listBytes = (items: readonly JsonValue[]) => written(writeItems, items);
/** A google.protobuf.Value. */
export const valueBytes = (value: JsonValue) => written(writeValue, value);
