import { create } from "@bufbuild/protobuf";
import { type DecideRequest, DecideRequestSchema } from "@remit/proto/decision";
import type { Amount } from "./amount.ts";
import { canonical, NotJson } from "./canonical.ts";
import { inputDigest } from "./digest.ts";
import { misuse, RemitError } from "./errors.ts";
import type { JsonObject } from "./json.ts";

/** One proposed call. Objects are plain JSON; undefined members are left out. */
export interface CallRequest {
  readonly tool: string;
  /** The tool's arguments: one JSON object. */
  readonly input: object;
  /** Unique in the session, 1 to 256 bytes. Asking again with it is safe. Default: a random UUID. */
  readonly callId?: string | undefined;
  /** The digest of the tool's input schema that this process goes by. When another is registered, the call is denied. */
  readonly schemaDigest?: string | undefined;
  /** Facts asserted by this process, typed by the tool's context schema. */
  readonly context?: object | undefined;
  /** What the call is expected to cost. */
  readonly estimate?: readonly Amount[] | undefined;
  /** Answers to a clarification, by question id. */
  readonly answers?: object | undefined;
  /** Only when an approval was asked for under another call id. */
  readonly approvalId?: string | undefined;
  readonly wantPermit?: boolean | undefined;
  /** Decide under this revision of the policies or a later one. */
  readonly minRevision?: bigint | undefined;
}

/** A call as it is asked: fixed from here on, whatever its caller does to the objects that it passed. */
export interface Asked {
  readonly tool: string;
  readonly callId: string;
  readonly sessionId: string;
  /** Canonical JSON. */
  readonly inputJson: string;
  readonly inputDigest: string;
  /** Names of the constraints that this call may be put under. */
  readonly supported: ReadonlySet<string>;
  readonly context: string | undefined;
  readonly estimate: readonly Amount[];
  readonly request: DecideRequest;
}

const utf8 = new TextEncoder();

/** The canonical JSON of an object; throws `RemitError` that names the field for what is not plain JSON. */
export function objectJson(field: string, value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw misuse(field, `${field} must be a JSON object`, `pass ${field} as {...}`);
  }
  try {
    return canonical(value);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new RemitError(`${field}${error.path} ${error.message}`, {
      status: "INVALID_ARGUMENT",
      reason: error.what,
      field: field + error.path,
      fix: "pass plain JSON",
      retryable: false,
      cause: error,
    });
  }
}

/** Fixes a call. Throws `RemitError` for what is not plain JSON. `newId` makes the id of a call that has none. */
export function fixCall(
  call: CallRequest,
  sessionId: string,
  supported: ReadonlySet<string>,
  newId: () => string,
): Asked {
  if (call.tool === "") throw misuse("tool", "a call needs the name of its tool", "pass tool");
  if (call.callId === "") throw misuse("callId", "a call id must not be empty", "leave it out, or pass one");
  const callId = call.callId ?? newId();
  const inputJson = objectJson("input", call.input);
  const context = call.context === undefined ? undefined : objectJson("context", call.context);
  const answers = call.answers === undefined ? undefined : objectJson("answers", call.answers);
  const estimate = (call.estimate ?? []).map(({ unit, value }) => ({ unit, value }));
  const request = create(DecideRequestSchema, {
    callId,
    tool: call.tool,
    input: { case: "inputJson", value: utf8.encode(inputJson) },
    estimate,
    approvalId: call.approvalId ?? "",
    supportedConstraints: [...supported],
    wantPermit: call.wantPermit ?? false,
    minRevision: call.minRevision ?? 0n,
    toolSchemaDigest: call.schemaDigest ?? "",
  });
  if (context !== undefined) request.context = { case: "contextJson", value: utf8.encode(context) };
  if (answers !== undefined) request.answers = { case: "answersJson", value: utf8.encode(answers) };
  return {
    tool: call.tool,
    callId,
    sessionId,
    inputJson,
    inputDigest: inputDigest(inputJson),
    supported,
    context,
    estimate,
    request,
  };
}

/** A fresh copy of an object that was written as JSON. */
export function copyOf(json: string): JsonObject {
  return JSON.parse(json) as JsonObject;
}
