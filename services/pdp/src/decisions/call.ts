import type { ToolDocument } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { digest, digestBytes } from "../foundation/digest.ts";
import { valueAt } from "../foundation/value-at.ts";
import { idempotencyKey } from "../ledger/index.ts";
import type { Ask } from "./ask.ts";

/** What a call is known by in its session: the id that its caller gave it, or the business key that its tool names. */
export interface CallName {
  readonly kind: "decision" | "business";
  readonly id: string;
}

export const byCallId = (callId: string): CallName => ({ kind: "decision", id: callId });
export const byBusinessKey = (key: string): CallName => ({ kind: "business", id: key });

/** What makes an attempt of a call unique: two replicas that decide it at once record one decision. */
export function callKey({ kind, id }: CallName, attempt: number): Buffer {
  return idempotencyKey(kind, id, attempt);
}

/** What a call is: its tool and its input, which its first attempt fixes. 32 bytes. */
export function requestDigest(tool: string, inputDigest: string): Buffer {
  return digestBytes("request", canonical({ tool, input_digest: inputDigest }));
}

/** What an attempt is recorded under, and what it is compared by. Each is made once for its record and for breakers. */
export interface CallDigests {
  readonly key: Buffer;
  /** The key of the call's first attempt. */
  readonly firstKey: Buffer;
  readonly request: Buffer;
}

export function callDigests(name: CallName, attempt: number, tool: string, inputDigest: string): CallDigests {
  const key = callKey(name, attempt);
  const firstKey = attempt === 1 ? key : callKey(name, 1);
  return { key, firstKey, request: requestDigest(tool, inputDigest) };
}

/**
 * The business key of a call, `sha256:<hex>`, where its tool registered one (`idempotentOn`) and the input has all of
 * it; else undefined, and the call is known by its id. The key is a digest: what it was made of may be personal.
 */
export function businessKey(tool: ToolDocument | undefined, { tool: name, input }: Ask): string | undefined {
  const paths = tool?.spec.idempotentOn;
  if (!paths) return undefined;
  const values = paths.map((path) => valueAt(input.value, path));
  if (values.some((value) => value === undefined)) return undefined;
  return digest("business-key", canonical({ tool: name, values: values as readonly Json[] }));
}
