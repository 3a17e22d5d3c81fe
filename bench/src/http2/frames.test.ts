import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, frameFlag, frameReader, frameType, settingsFrame, unpadded } from "./frames.ts";

function collect(chunks: readonly Buffer[]): { type: number; flags: number; stream: number; payload: string }[] {
  const seen: { type: number; flags: number; stream: number; payload: string }[] = [];
  const read = frameReader({
    frame: (type, flags, stream, payload) => seen.push({ type, flags, stream, payload: payload.toString("hex") }),
  });
  for (const chunk of chunks) read(chunk);
  return seen;
}

test("frames come out whole however the bytes were cut", () => {
  const bytes = Buffer.concat([
    frame(frameType.data, frameFlag.endStream, 3, Buffer.from("one")),
    settingsFrame([[4, 65_535]]),
    frame(frameType.data, 0, 5, Buffer.alloc(0)),
  ]);
  const whole = collect([bytes]);
  expect(whole.map(({ type, stream }) => [type, stream])).toEqual([
    [0, 3],
    [4, 0],
    [0, 5],
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
      expect(collect(chunks)).toEqual(whole);
    }),
  );
});

test("padding is taken off only where the flag says so", () => {
  const padded = Buffer.from([2, 65, 66, 0, 0]);
  expect(unpadded(frameFlag.padded, padded).toString()).toBe("AB");
  expect(unpadded(0, padded)).toBe(padded);
});
