import { sha256 } from "../foundation/digest.ts";
import type { RecordKind } from "./record.ts";

/** How many bytes a key has. */
const KEY_BYTES = 16;

/**
 * What makes a record unique in its session: the first 16 bytes of SHA-256(kind ‖ 0 ‖ call id ‖ 0 ‖ attempt). The
 * caller's own text never reaches an index: it may be long, or hold what a text column cannot.
 * Kind and attempt hold no zero byte, so no two triples are written the same way, whatever the call id holds.
 */
export function idempotencyKey(kind: RecordKind | (string & {}), callId: string, attempt: number): Buffer {
  return sha256(`${kind}\0${callId}\0${attempt}`).subarray(0, KEY_BYTES);
}
