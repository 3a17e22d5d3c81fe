import { readFile } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { JsonObject } from "@remit/engine";
import type { AmountSchema } from "@remit/proto/common";
import type { Io } from "./cli.ts";
import { usage } from "./stop.ts";

/** Gathers an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** `name=value` options as a record. */
export function pairs(texts: readonly string[] | undefined, option: string): Record<string, string> {
  return Object.fromEntries(
    (texts ?? []).map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw usage(`${option} takes name=value, got ${JSON.stringify(text)}`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `UNIT=DECIMAL` options as amounts; the service judges the numbers. */
export function amounts(texts: readonly string[] | undefined, option: string): MessageInitShape<typeof AmountSchema>[] {
  return (texts ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw usage(`${option} takes UNIT=DECIMAL such as EUR=12.50, got ${JSON.stringify(text)}`);
    return { unit: text.slice(0, at), value: text.slice(at + 1) };
  });
}

/** A text as it stands, of a file (`@FILE`), or of standard input (`-`). */
export async function textOf(io: Io, value: string, option: string): Promise<string> {
  if (value === "-") return io.stdin();
  if (!value.startsWith("@")) return value;
  try {
    return await readFile(value.slice(1), "utf8");
  } catch (error) {
    throw usage(`${option} cannot read ${value.slice(1)}: ${(error as Error).message}`);
  }
}

/**
 * One JSON object from a text, from a file (`@FILE`) or from standard input (`-`), as the bytes that were written: the
 * service sees every digit and every key as they stand.
 */
export async function jsonBytes(io: Io, value: string, option: string): Promise<Uint8Array> {
  const text = await textOf(io, value, option);
  parseObject(text, option);
  return new TextEncoder().encode(text);
}

/** The same, read. */
export async function jsonObject(io: Io, value: string, option: string): Promise<JsonObject> {
  return parseObject(await textOf(io, value, option), option);
}

function parseObject(text: string, option: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw usage(`${option} is not JSON: ${(error as Error).message}`, `${option} '{"name": "value"}', @FILE or -`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw usage(`${option} must be one JSON object`, `${option} '{"name": "value"}'`);
  }
  return parsed as JsonObject;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A duration such as 90s, 15m, 24h or 30d, in seconds. */
export function seconds(text: string, option: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? [];
  if (digits === undefined)
    throw usage(`${option} takes a duration such as 90s, 15m, 24h or 30d, got ${JSON.stringify(text)}`);
  return Number(digits) * SECONDS[unit as keyof typeof SECONDS];
}
