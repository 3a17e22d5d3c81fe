import type { JsonObject, JsonValue } from "@remit/engine";
import type { Offer, OfferedTool } from "./offered-tool.ts";
import { dereferenced, schemaCollector } from "./openapi-schema.ts";
import { oneLine } from "./plain-text.ts";
import { serverName } from "./tool-names.ts";

export const operationsMax = 2_000;

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** How the caller shows who it is, which is no business of the model. */
const credentials = new Set(["authorization", "cookie", "x-api-key", "api-key", "apikey", "proxy-authorization"]);

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

/** The operations of an OpenAPI 3.1 document as tools. References inside the document are followed, others are not. */
export function readOperations(document: JsonObject): Offer {
  const info = isObject(document.info) ? document.info : {};
  const title = oneLine(textOf(info.title), 100) || "an OpenAPI document";
  const source = { kind: "openapi", title: `${title} ${oneLine(textOf(info.version), 40)}`.trim() } as const;
  const tools: OfferedTool[] = [];
  const notes: string[] = [];
  for (const [path, written] of Object.entries(isObject(document.paths) ? document.paths : {})) {
    const item = dereferenced(document, written);
    if (!item) {
      notes.push(`the path ${oneLine(path, 80)} stands in another document, which is not read`);
      continue;
    }
    for (const method of methods) {
      const operation = item[method];
      if (!isObject(operation)) continue;
      if (tools.length >= operationsMax) {
        notes.push(`more than ${operationsMax} operations; the others are not read`);
        return { source: { ...source, server: serverOf(document, title) }, tools, notes };
      }
      tools.push(toolOf(document, path, method, item, operation));
    }
  }
  return { source: { ...source, server: serverOf(document, title) }, tools, notes };
}

function serverOf({ servers }: JsonObject, title: string): string {
  const [first] = listOf(servers);
  const url = textOf(isObject(first) ? first.url : undefined).replace(/\/+$/, "");
  return /^https?:\/\/[A-Za-z0-9_.:/@+-]{1,200}$/.test(url) ? url : serverName("openapi", title);
}

function toolOf(
  document: JsonObject,
  path: string,
  method: string,
  item: JsonObject,
  operation: JsonObject,
): OfferedTool {
  const id = textOf(operation.operationId);
  const [tag] = listOf(operation.tags);
  const words = [operation.summary, operation.description].map(textOf).filter((text) => text !== "");
  return {
    name: id || `${method}_${path.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "")}`,
    description: words.join(". "),
    inputSchema: inputSchemaOf(document, item, operation),
    http: { method, path },
    labels: { method: method.toUpperCase(), ...(textOf(tag) !== "" && { tag: textOf(tag) }) },
  };
}

/** One object: the parameters by name, and the body under `body`. */
function inputSchemaOf(document: JsonObject, item: JsonObject, operation: JsonObject): JsonObject {
  const collector = schemaCollector(document);
  const properties: Record<string, JsonValue> = {};
  const required: string[] = [];
  const add = (name: string, schema: JsonValue, needed: boolean) => {
    if (Object.hasOwn(properties, name)) return;
    Object.defineProperty(properties, name, { value: schema, enumerable: true, writable: true, configurable: true });
    if (needed) required.push(name);
  };
  for (const parameter of parametersOf(document, item, operation)) {
    const name = textOf(parameter.name);
    const schema = collector.take(schemaOf(parameter));
    const described = withDescription(schema, textOf(parameter.description));
    add(name === "body" ? "body_parameter" : name, described, parameter.required === true || parameter.in === "path");
  }
  const body = dereferenced(document, operation.requestBody);
  if (body) add("body", collector.take(schemaOf(body)), body.required === true);
  const $defs = collector.definitions();
  return {
    type: "object",
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(Object.keys($defs).length > 0 && { $defs }),
  };
}

/** An operation's own parameters go before its path's. */
function parametersOf(document: JsonObject, item: JsonObject, operation: JsonObject): JsonObject[] {
  return [...listOf(operation.parameters), ...listOf(item.parameters)]
    .map((parameter) => dereferenced(document, parameter))
    .filter((parameter) => parameter !== undefined)
    .filter(({ name, in: place }) => {
      if (textOf(name) === "" || place === "cookie") return false;
      return place !== "header" || !credentials.has(textOf(name).toLowerCase());
    });
}

/** The schema of a parameter or a body: its own, or that of the first content that is JSON, or of any. */
function schemaOf({ schema, content }: JsonObject): JsonValue {
  if (schema !== undefined) return schema;
  const kinds = Object.entries(isObject(content) ? content : {});
  const [, chosen] = kinds.find(([kind]) => /[/+]json\b/.test(kind)) ?? kinds[0] ?? [];
  return isObject(chosen) ? (chosen.schema ?? {}) : {};
}

function withDescription(schema: JsonValue, description: string): JsonValue {
  if (!isObject(schema) || description === "" || schema.description !== undefined) return schema;
  return { ...schema, description };
}
