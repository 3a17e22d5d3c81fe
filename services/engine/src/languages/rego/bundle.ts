import { gunzipSync } from "node:zlib";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { ModuleProblem } from "./wasm-bytes.ts";

/** Bytes of what is packed in a bundle. */
const unpackedBytesMax = 4 * 1024 * 1024;
const blockBytes = 512;

/** What a bundle of `opa build -t wasm` holds: the compiled policy and its data. */
export interface Bundle {
  readonly module: Uint8Array;
  readonly data: JsonObject;
}

/** Reads a bundle, a `.tar.gz` in base64. @throws ModuleProblem. */
export function readBundle(base64: string): Bundle {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new ModuleProblem("the bundle is not base64");
  let tar: Uint8Array;
  try {
    tar = gunzipSync(Buffer.from(base64, "base64"), { maxOutputLength: unpackedBytesMax });
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw new ModuleProblem(
      tooLarge ? `the bundle unpacks to more than ${unpackedBytesMax} bytes` : "the bundle is not gzip",
    );
  }
  const files = filesOf(tar);
  const module = files.get("policy.wasm");
  if (!module) throw new ModuleProblem("the bundle has no policy.wasm: build it with `opa build -t wasm`");
  return { module, data: dataOf(files.get("data.json")) };
}

function dataOf(bytes: Uint8Array | undefined): JsonObject {
  if (!bytes) return {};
  try {
    const data: JsonValue = JSON.parse(new TextDecoder().decode(bytes));
    if (isJsonObject(data)) return data;
  } catch {
    // Said below.
  }
  throw new ModuleProblem("the bundle's data.json is not a JSON map");
}

/** The files of a tar (POSIX.1-1988 ustar: blocks of 512 bytes, the name first, the size in octal at 124). */
function filesOf(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + blockBytes <= tar.length; ) {
    const name = fieldOf(tar, at, 100);
    if (name === "") break;
    const size = Number.parseInt(fieldOf(tar, at + 124, 12).trim(), 8);
    if (!(size >= 0) || at + blockBytes + size > tar.length) throw new ModuleProblem("the bundle is not a whole tar");
    files.set(name.replace(/^\.?\//, ""), tar.subarray(at + blockBytes, at + blockBytes + size));
    at += blockBytes * (1 + Math.ceil(size / blockBytes));
  }
  return files;
}

function fieldOf(tar: Uint8Array, at: number, length: number): string {
  const field = tar.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("latin1");
}
