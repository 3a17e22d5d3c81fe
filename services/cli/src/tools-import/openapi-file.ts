import { readFile, stat } from "node:fs/promises";
import type { JsonObject } from "@remit/engine";
import { exitCodes, Stop, usage } from "../stop.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { Offer } from "./offered-tool.ts";
import { readOperations } from "./openapi.ts";
import { oneLine } from "./plain-text.ts";

const documentBytesMax = 32 * 1024 * 1024;

/** Reads an OpenAPI or Swagger document from a file or a URL, in YAML or JSON. Nothing that it refers to is fetched. */
export async function readOpenApi(place: string, timeoutMs: number): Promise<Offer> {
  const isUrl = /^https?:\/\//i.test(place);
  const text = isUrl ? await download(place, timeoutMs) : await readText(place);
  const document = await parse(text, place);
  const version = document.openapi ?? document.swagger;
  if (typeof version !== "string" || !/^(?:2\.0|3\.[0-2](?:\.|$))/.test(version)) {
    throw usage(`${place} is not an OpenAPI document: it has no \`openapi: 3.x\` or \`swagger: "2.0"\``);
  }
  return readOperations(await upgraded(document, place));
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > documentBytesMax) throw usage(`${path} is ${size} bytes long; at most ${documentBytesMax} are read`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw usage(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

async function download(url: string, timeoutMs: number): Promise<string> {
  const fetched = boundedFetch(documentBytesMax);
  try {
    const response = await fetched(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.text();
  } catch (error) {
    const why = oneLine((error as Error).message);
    throw new Stop(exitCodes.unavailable, `${url} cannot be read: ${why}`, "check the address", error);
  }
}

async function parse(text: string, place: string): Promise<JsonObject> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: true });
  const [problem] = document.errors;
  if (problem) throw usage(`${place} is neither YAML nor JSON: ${oneLine(problem.message)}`);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 1_000 });
    // Plain JSON from here on: a date of YAML is its text.
    const plain: unknown = JSON.parse(JSON.stringify(value ?? null));
    if (typeof plain === "object" && plain !== null && !Array.isArray(plain)) return plain as JsonObject;
  } catch (error) {
    throw usage(`${place} cannot be read: ${oneLine((error as Error).message)}`);
  }
  throw usage(`${place} is not an OpenAPI document: it is not a map`);
}

async function upgraded(document: JsonObject, place: string): Promise<JsonObject> {
  if (typeof document.openapi === "string" && /^3\.[12]/.test(document.openapi)) return document;
  const { upgrade } = await import("@scalar/openapi-upgrader");
  try {
    return upgrade(document as Record<string, unknown>, "3.1") as unknown as JsonObject;
  } catch (error) {
    throw usage(`${place} cannot be understood as OpenAPI: ${oneLine((error as Error).message)}`);
  }
}
