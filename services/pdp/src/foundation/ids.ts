import { randomFillSync } from "node:crypto";

/** Fills the given bytes with randomness. An argument, so that tests can repeat themselves. */
export type Random = (bytes: Uint8Array) => void;

const POOL_BYTES = 4096;

/** The system's randomness, drawn in pools: one system call for 400 ids instead of one an id. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (bytes) => {
    if (bytes.length > POOL_BYTES) {
      randomFillSync(bytes);
      return;
    }
    if (used + bytes.length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    bytes.set(pool.subarray(used, used + bytes.length));
    // What was handed out does not stay in memory.
    pool.fill(0, used, used + bytes.length);
    used += bytes.length;
  };
}

const DASH = 0x2d;
const DIGITS = Buffer.from("0123456789abcdef");
const written = Buffer.alloc(36, DASH);

/** Written into bytes and read out as one text: put together from its parts it would be copied when it is first looked up. */
function format(bytes: Uint8Array): string {
  for (let at = 0, to = 0; at < 16; at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) to++;
    const byte = bytes[at] ?? 0;
    written[to++] = DIGITS[byte >> 4] ?? 0;
    written[to++] = DIGITS[byte & 15] ?? 0;
  }
  return written.toString("latin1");
}

/** Makes ids: UUIDv7 (RFC 9562, section 5.7), 48 bits of milliseconds and 74 random bits. */
export function uuidMaker(random: Random): (nowMs: number) => string {
  const bytes = new Uint8Array(16);
  return (nowMs) => {
    random(bytes);
    for (let at = 5, rest = Math.floor(nowMs); at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    return format(bytes);
  };
}

const UUID_MS_MAX = 2 ** 48 - 1;

/** The least UUIDv7 that could be made at a time: ids made before it are less, ids made at it or later are not. */
export function leastUuidAt(ms: number): string {
  const hex = Math.max(0, Math.min(Math.floor(ms), UUID_MS_MAX))
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** The time that a UUIDv7 holds, in milliseconds. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in its lower-case form. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
