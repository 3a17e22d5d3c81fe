import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Random } from "../foundation/ids.ts";

/** A tenant's data key in memory. */
export interface DataKey {
  /** UUID. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** What a sealed text belongs to: it opens nowhere else. */
export interface Place {
  readonly tenant: string;
  /** The record's id. */
  readonly id: string;
  readonly part: "body" | "aside";
}

/** Tells a tenant's redacted values apart without telling them. */
export interface Marks {
  /** Of the data key. */
  readonly keyId: string;
  /** `hmac-sha256:<hex>` over a canonical value: equal for equal values of the tenant. */
  mark(canonicalJson: string): string;
}

/** Seals and opens what a tenant's entries hold, under one data key. */
export interface Sealer extends Marks {
  seal(place: Place, plain: Uint8Array): Buffer;
  /** Throws when a single bit, the place or the key is another. */
  open(place: Place, frame: Uint8Array): Buffer;
}

// Plain bodies are JSON objects and begin with `{`.
const VERSION = 1;
const KEY_ID_BYTES = 16;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_AT = 1 + KEY_ID_BYTES;
const NONCE_AT = SALT_AT + SALT_BYTES;
const TEXT_AT = NONCE_AT + NONCE_BYTES;

/**
 * How much one subkey seals before another takes its place. Random nonces of 96 bits are safe for 2^32 uses of a key
 * (NIST SP 800-38D, 8.3), which a busy tenant has in weeks; two of 2^20 meet with a chance below 2^-56.
 */
const SUBKEY_USES_MAX = 2 ** 20;
const SUBKEYS_MAX = 256;

const plainId = (id: string) => Buffer.from(id.replaceAll("-", ""), "hex");

const bound = ({ tenant, id, part }: Place) => Buffer.from(`remit/entry/v1\n${id}\n${part}\n${tenant}`);

/** Whether bytes of a record are sealed; else they are canonical JSON. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION;
}

/** The key that a frame names. */
export function sealedBy(frame: Uint8Array): string {
  const hex = Buffer.from(frame.subarray(1, SALT_AT)).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * AES-256-GCM under subkeys of the data key (HKDF-SHA-256 with a random salt). A frame is: version ‖ the data key's id ‖
 * salt ‖ nonce ‖ ciphertext ‖ tag. The record's id, its part and its tenant are bound as additional data.
 */
export function createSealer({ id, bytes }: DataKey, random: Random): Sealer {
  const header = Buffer.concat([Buffer.of(VERSION), plainId(id)]);
  const subkeys = new LRUCache<string, Uint8Array>({ max: SUBKEYS_MAX });
  const derive = (salt: Uint8Array) => new Uint8Array(hkdfSync("sha256", bytes, salt, "remit/entry-sealing/v1", 32));
  let current: { readonly salt: Buffer; readonly key: Uint8Array } | undefined;
  let uses = 0;

  const subkey = () => {
    if (current && uses++ < SUBKEY_USES_MAX) return current;
    const salt = Buffer.alloc(SALT_BYTES);
    random(salt);
    uses = 1;
    current = { salt, key: derive(salt) };
    return current;
  };
  const subkeyOf = (salt: Buffer): Uint8Array => {
    const name = salt.toString("latin1");
    const known = subkeys.get(name) ?? derive(salt);
    subkeys.set(name, known);
    return known;
  };

  const markKey = Buffer.from(hkdfSync("sha256", bytes, Buffer.alloc(0), "remit/redaction/v1", 32));

  return {
    keyId: id,
    mark: (canonicalJson) =>
      `hmac-sha256:${createHmac("sha256", markKey).update(`remit/redacted/v1\n${canonicalJson}`).digest("hex")}`,
    seal(place, plain) {
      const { salt, key } = subkey();
      // All of it is written below: GCM's text is as long as what it seals, and its end adds nothing.
      const frame = Buffer.allocUnsafe(TEXT_AT + plain.length + TAG_BYTES);
      frame.set(header);
      frame.set(salt, SALT_AT);
      const nonce = frame.subarray(NONCE_AT, TEXT_AT);
      random(nonce);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(bound(place));
      frame.set(cipher.update(plain), TEXT_AT);
      cipher.final();
      frame.set(cipher.getAuthTag(), TEXT_AT + plain.length);
      return frame;
    },
    open(place, frame) {
      const whole = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
      const key = subkeyOf(whole.subarray(SALT_AT, NONCE_AT));
      const decipher = createDecipheriv("aes-256-gcm", key, whole.subarray(NONCE_AT, TEXT_AT), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(bound(place));
      decipher.setAuthTag(whole.subarray(whole.length - TAG_BYTES));
      const text = decipher.update(whole.subarray(TEXT_AT, whole.length - TAG_BYTES));
      return Buffer.concat([text, decipher.final()]);
    },
  };
}
