/** A module that is not what this engine takes. The message says what and names the part. */
export class ModuleProblem extends Error {}

/** Reads the binary format of WebAssembly 1.0 (chapter 5 of its specification), one value after the other. */
export interface WasmReader {
  readonly at: () => number;
  readonly ended: () => boolean;
  readonly byte: () => number;
  /** An unsigned LEB128 of 32 bits. */
  readonly u32: () => number;
  /** Passes over a LEB128 of at most this many bytes, whatever it means. */
  readonly skipLeb: (bytesMax: number) => void;
  readonly skip: (bytes: number) => void;
  readonly name: () => string;
  /** A reader of the next bytes alone, which this one passes over. */
  readonly part: (bytes: number) => WasmReader;
  /** The bytes between two offsets. */
  readonly slice: (from: number, to: number) => Uint8Array;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

export function wasmReader(bytes: Uint8Array, from = 0, to = bytes.length): WasmReader {
  let at = from;
  const byte = () => {
    if (at >= to) throw new ModuleProblem("the module ends too early");
    return bytes[at++] ?? 0;
  };
  const skip = (count: number) => {
    if (count > to - at) throw new ModuleProblem("the module ends too early");
    at += count;
  };
  const u32 = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80 && value < 2 ** 32) return value;
    }
    throw new ModuleProblem("a number of the module is out of range");
  };
  const skipLeb = (bytesMax: number) => {
    for (let count = 0; count < bytesMax; count++) if (byte() < 0x80) return;
    throw new ModuleProblem("a number of the module is out of range");
  };
  return {
    at: () => at,
    ended: () => at >= to,
    byte,
    u32,
    skipLeb,
    skip,
    name: () => {
      const length = u32();
      const start = at;
      skip(length);
      return decoder.decode(bytes.subarray(start, at));
    },
    part: (count) => {
      const start = at;
      skip(count);
      return wasmReader(bytes, start, at);
    },
    slice: (start, end) => bytes.subarray(start, end),
  };
}

/** Bytes under construction. */
export interface WasmWriter {
  readonly byte: (...bytes: readonly number[]) => void;
  readonly u32: (value: number) => void;
  /** A signed LEB128 of a number that is not negative. */
  readonly i32: (value: number) => void;
  readonly bytes: (bytes: Uint8Array) => void;
  readonly name: (name: string) => void;
  readonly length: () => number;
  readonly done: () => Uint8Array;
}

export function wasmWriter(capacity = 256): WasmWriter {
  let buffer = new Uint8Array(capacity);
  let length = 0;
  const room = (count: number) => {
    if (length + count <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, length + count));
    larger.set(buffer);
    buffer = larger;
  };
  const byte = (...values: readonly number[]) => {
    room(values.length);
    for (const value of values) buffer[length++] = value;
  };
  const bytes = (more: Uint8Array) => {
    room(more.length);
    buffer.set(more, length);
    length += more.length;
  };
  const u32 = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) byte((rest % 128) | 0x80);
    byte(rest);
  };
  return {
    byte,
    bytes,
    u32,
    i32: (value) => {
      let rest = value;
      for (; rest >= 0x40; rest = Math.floor(rest / 128)) byte((rest % 128) | 0x80);
      byte(rest);
    },
    name: (name) => {
      const encoded = new TextEncoder().encode(name);
      u32(encoded.length);
      bytes(encoded);
    },
    length: () => length,
    done: () => buffer.subarray(0, length),
  };
}
