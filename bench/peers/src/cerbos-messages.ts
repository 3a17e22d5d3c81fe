import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { idPlaceholder } from "../../src/http2/prepared.ts";
import type { Request } from "./w1.ts";

// cerbos.request.v1.CheckResourcesRequest and its answer, by field number: the two messages are all we need of it.

export const checkResourcesPath = "/cerbos.svc.v1.CerbosService/CheckResources";

const effectAllow = 1;

function text(writer: BinaryWriter, field: number, value: string): BinaryWriter {
  return value === "" ? writer : writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, bytes: Uint8Array): BinaryWriter {
  return writer.tag(field, WireType.LengthDelimited).bytes(bytes);
}

/** Fields 1 id or kind, 2 version, 3 roles or id, 4 attributes, 5 scope are laid out alike in Principal and Resource. */
function party(
  first: string,
  version: string,
  third: readonly string[],
  scope: string,
  attr: Record<string, JsonValue>,
) {
  const writer = text(text(new BinaryWriter(), 1, first), 2, version);
  for (const value of third) text(writer, 3, value);
  for (const [key, value] of Object.entries(attr)) {
    const entry = message(text(new BinaryWriter(), 1, key), 2, toBinary(ValueSchema, fromJson(ValueSchema, value)));
    message(writer, 4, entry.finish());
  }
  return text(writer, 5, scope).finish();
}

/** The request in protobuf; its request id is the placeholder. */
export function checkResources({ principal, resource, actions }: Request): Uint8Array {
  const { geography, ipAddress } = principal;
  const { owner, manager, status, draft, locked } = resource;
  const entry = new BinaryWriter();
  for (const action of actions) text(entry, 1, action);
  const attributes = { owner, manager, geography: resource.geography, status, draft, locked };
  message(entry, 2, party(resource.kind, resource.version, [resource.id], resource.scope, attributes));
  const writer = text(new BinaryWriter(), 1, idPlaceholder);
  message(writer, 3, party(principal.id, "", principal.roles, "", { geography, ipAddress }));
  return message(writer, 4, entry.finish()).finish();
}

/** Visits the fields of one message; the visitor reads or returns false to have it skipped. */
function eachField(bytes: Uint8Array, visit: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!visit(field, reader)) reader.skip(wireType);
  }
}

/** The allowed actions of an answer to a request of one resource; every asked action must be answered. */
export function allowedActions(answer: Uint8Array, asked: readonly string[]): Set<string> {
  const effects = new Map<string, number>();
  const action = (entry: Uint8Array) => {
    let name = "";
    let effect = 0;
    eachField(entry, (field, reader) => {
      if (field === 1) name = reader.string();
      else if (field === 2) effect = reader.int32();
      return field === 1 || field === 2;
    });
    effects.set(name, effect);
  };
  eachField(answer, (field, reader) => {
    if (field !== 2) return false;
    eachField(reader.bytes(), (inner, result) => {
      if (inner === 2) action(result.bytes());
      return inner === 2;
    });
    return true;
  });
  const missing = asked.find((name) => !effects.has(name));
  if (missing !== undefined) throw new Error(`Cerbos did not answer the action "${missing}"`);
  return new Set([...effects].filter(([, effect]) => effect === effectAllow).map(([name]) => name));
}
