import { randomFillSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSealer, isSealed, sealedBy } from "./seal.ts";

const random = (bytes: Uint8Array) => void randomFillSync(bytes);
const id = "01890000-0000-7000-8000-0000000000aa";
const key = { id, bytes: Buffer.alloc(32, 5) };
const place = { tenant: "acme", id: "01890000-0000-7000-8000-000000000001", part: "body" } as const;

test("what is sealed comes back by whoever has the key, and never twice in the same bytes", () => {
  const sealer = createSealer(key, random);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (plain) => {
      const frame = sealer.seal(place, plain);
      expect(isSealed(frame)).toBe(true);
      expect(sealedBy(frame)).toBe(id);
      expect(sealer.seal(place, plain)).not.toEqual(frame);
      // Another process: other subkeys, the same key.
      expect([...createSealer(key, random).open(place, frame)]).toEqual([...plain]);
    }),
  );
});

test("an entry's plain text is never taken for a sealed one", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(isSealed(Buffer.from(`{"v":${text}}`))).toBe(false);
    }),
  );
});

test("another place, another key or one flipped bit is refused", () => {
  const sealer = createSealer(key, random);
  const frame = sealer.seal(place, Buffer.from("secret"));
  const others = [{ tenant: "other" }, { id: id }, { part: "aside" as const }];
  for (const other of others) expect(() => sealer.open({ ...place, ...other }, frame)).toThrow();
  expect(() => createSealer({ id, bytes: Buffer.alloc(32, 6) }, random).open(place, frame)).toThrow();
  // The key's name stands outside: it is compared by whoever looks for the key.
  for (let at = 17; at < frame.length; at++) {
    const flipped = Buffer.from(frame);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(() => sealer.open(place, flipped)).toThrow();
  }
  expect(() => sealer.open(place, frame.subarray(0, 40))).toThrow();
});
