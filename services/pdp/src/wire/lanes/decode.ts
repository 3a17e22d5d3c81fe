import { type DescMessage, fromBinary, fromJsonString, type JsonValue, type Message } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Fault, invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { countValues } from "../../foundation/values.ts";
import { readCarrying } from "./read-carrying.ts";
import { carriesValues, quartersOf } from "./weigh.ts";

/** What the library reads by itself: too few values to hold anything up. */
const SMALL_BYTES = 2_048;

function tooMany(valuesMax: number): Fault {
  return invalid("", `the request holds more than ${valuesMax} values`, {
    limit: `messageValuesMax: ${valuesMax} values, where calls come as objects`,
    fix: "send input as input_json, large content by reference, a batch in parts",
  });
}

export function tooManyRecords(): Fault {
  return invalid("", `the request, or one part of it, holds more than ${limits.messageRecordsMax} fields and items`, {
    limit: `messageRecordsMax: ${limits.messageRecordsMax}`,
    fix: "send less, or split it",
  });
}

/** What the bytes are that the library does not read. */
export function notThat(schema: DescMessage, error: unknown): Fault {
  return invalid("", `the bytes are not a ${schema.typeName}: ${(error as Error).message}`, {
    fix: "check that both sides were generated from the same .proto files",
  });
}

/** Refuses more records than may be built in one piece: they are counted before anything is built. */
export function requireFewRecords(schema: DescMessage, bytes: Uint8Array): void {
  const most = limits.messageRecordsMax;
  // A record is two bytes long at least.
  if (2 * most < bytes.length && quartersOf(schema, bytes, most) > most) throw tooManyRecords();
}

/**
 * Reads a message from protobuf's bytes; a `Fault` of kind invalid says what is wrong with them. One that carries calls
 * may have no more than `valuesMax` values, any other so many records: they are counted before anything is built.
 */
export function decodeBinary(schema: DescMessage, bytes: Uint8Array, valuesMax = Number.POSITIVE_INFINITY): Message {
  try {
    if (bytes.length <= SMALL_BYTES || !carriesValues(schema)) {
      requireFewRecords(schema, bytes);
      return fromBinary(schema, bytes, { readUnknownFields: false });
    }
    if (valuesMax === Number.POSITIVE_INFINITY) requireFewRecords(schema, bytes);
    // A record is two bytes long at least.
    const quartersMax = 4 * valuesMax;
    if (2 * bytes.length > quartersMax && quartersOf(schema, bytes, quartersMax) > quartersMax) {
      throw tooMany(valuesMax);
    }
    return readCarrying(schema, bytes);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw notThat(schema, error);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Stranger {
  readonly path: string;
  readonly within: DescMessage;
}

/** The first member that no field of its message has, with the path that leads to it. Runs only once decoding failed. */
function findStranger(schema: DescMessage, json: unknown, path: string): Stranger | undefined {
  if (!isObject(json) || schema.typeName.startsWith("google.protobuf.")) return undefined;
  for (const [key, value] of Object.entries(json)) {
    const at = path === "" ? key : `${path}.${key}`;
    const field = schema.fields.find((each) => each.jsonName === key || each.name === key);
    if (field === undefined) return { path: at, within: schema };
    if (field.fieldKind === "message") {
      const found = findStranger(field.message, value, at);
      if (found !== undefined) return found;
    }
    if (field.fieldKind === "list" && field.listKind === "message" && Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        const found = findStranger(field.message, item, `${at}[${index}]`);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

function refuseJson(schema: DescMessage, text: string, error: Error): Fault {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (notJson) {
    return invalid("", `the body is not JSON: ${(notJson as Error).message}`, { fix: "send one JSON object in UTF-8" });
  }
  const stranger = findStranger(schema, json, "");
  if (stranger !== undefined) {
    const known = stranger.within.fields.map((field) => field.jsonName).join(", ");
    return invalid(stranger.path, `${stranger.within.typeName} has no field ${stranger.path}`, {
      fix: known === "" ? "leave it out" : `its fields are ${known}`,
    });
  }
  const culprit = isFieldError(error.cause) ? error.cause.field() : undefined;
  const field = culprit?.kind === "field" ? culprit.jsonName : (culprit?.name ?? "");
  return invalid(field, error.message);
}

/**
 * Reads a message from protobuf's JSON in UTF-8. A `Fault` of kind invalid names the field to blame: unknown members,
 * duplicate keys and values of the wrong type are refused, never skipped. One that carries calls may have no more than
 * `valuesMax` values, any other no more than `messageRecordsMax`.
 */
export function decodeJson(schema: DescMessage, bytes: Uint8Array, valuesMax = Number.POSITIVE_INFINITY): Message {
  // Each value takes a byte of its own.
  if (bytes.length > valuesMax && carriesValues(schema) && countValues(bytes, valuesMax) > valuesMax) {
    throw tooMany(valuesMax);
  }
  const most = limits.messageRecordsMax;
  if (bytes.length > most && countValues(bytes, most) > most) throw tooManyRecords();
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalid("", "the body is not UTF-8", { fix: "send one JSON object in UTF-8" });
  }
  try {
    return fromJsonString(schema, text, { ignoreUnknownFields: false });
  } catch (error) {
    throw refuseJson(schema, text, error as Error);
  }
}

/** Exhausted like a full queue, but asking again does not help. */
class MessageTooLarge extends Fault {
  override get retryable(): boolean {
    return false;
  }
}

/** A message in JSON of more bytes than a lane reads in one piece. */
export function tooLargeInJson(bytes: number, bytesMax: number): Fault {
  return new MessageTooLarge(
    "exhausted",
    "message_too_large",
    `the request has ${bytes} bytes, which is more than the ${bytesMax} bytes that a message in JSON may have`,
    {
      limit: `adminJsonBytesMax: ${bytesMax} bytes in JSON`,
      fix: "send it as protobuf's bytes, with `content-type: application/proto`, as `remit` does, or split it",
    },
  );
}

/** The limits that messages of the lanes obey: of the data plane, and of the admin plane. */
export type MessageLimit = "messageBytesMax" | "adminMessageBytesMax";

/** A message of more bytes than a lane takes. `bytes` is left out where nobody counted to the end. */
export function tooLarge(
  what: "request" | "response",
  bytes: number | undefined,
  bytesMax: number,
  limit: MessageLimit = "messageBytesMax",
): Fault {
  const size = bytes === undefined ? "" : ` has ${bytes} bytes, which`;
  return new MessageTooLarge(
    "exhausted",
    "message_too_large",
    `the ${what}${size} is more than the ${bytesMax} bytes that a message may have`,
    {
      limit: `${limit}: ${bytesMax} bytes`,
      fix: what === "request" ? "send less, or split it" : "ask for less at once",
    },
  );
}
