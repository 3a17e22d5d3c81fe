import type { JsonObject } from "@remit/engine";
import { describe, expect, it } from "vitest";
import { operationsMax, readOperations } from "./openapi.ts";

const document = (paths: JsonObject, more: JsonObject = {}): JsonObject => ({
  openapi: "3.1.0",
  info: { title: "Shop API", version: "2" },
  paths,
  ...more,
});
const only = (paths: JsonObject, more?: JsonObject) => readOperations(document(paths, more)).tools[0];

describe("an OpenAPI document", () => {
  it("has one tool an operation: its parameters by name, its body under `body`, no credentials", () => {
    const paths = {
      "/orders/{id}": {
        parameters: [{ name: "id", in: "path", schema: { type: "string" } }],
        post: {
          operationId: "changeOrder",
          summary: "Changes an order",
          description: "Twice.",
          tags: ["orders"],
          parameters: [
            { name: "dry", in: "query", required: true, description: "Only try.", schema: { type: "boolean" } },
            { name: "Authorization", in: "header", schema: { type: "string" } },
            { name: "sid", in: "cookie", schema: { type: "string" } },
            { name: "body", in: "query", content: { "application/json": { schema: { type: "object" } } } },
          ],
          requestBody: { required: true, content: { "application/merge-patch+json": { schema: { type: "object" } } } },
        },
      },
    };
    expect(only(paths)).toEqual({
      name: "changeOrder",
      description: "Changes an order. Twice.",
      http: { method: "post", path: "/orders/{id}" },
      labels: { method: "POST", tag: "orders" },
      inputSchema: {
        type: "object",
        properties: {
          dry: { type: "boolean", description: "Only try." },
          body_parameter: { type: "object" },
          id: { type: "string" },
          body: { type: "object" },
        },
        required: ["dry", "id", "body"],
        additionalProperties: false,
      },
    });
  });

  it("names an operation that has no id by its method and path", () => {
    expect(only({ "/v1/pets/{pet-id}/": { delete: {} } })?.name).toBe("delete_v1_pets_pet_id");
  });

  it("takes along what a schema refers to, in circles too", () => {
    const components = {
      schemas: {
        Node: { type: "object", properties: { next: { $ref: "#/components/schemas/Node" } } },
        "A/B": { type: "string" },
      },
      parameters: { limit: { name: "limit", in: "query", schema: { $ref: "#/components/schemas/A~1B" } } },
      requestBodies: { node: { content: { "application/json": { schema: { $ref: "#/components/schemas/Node" } } } } },
    };
    const put = {
      parameters: [{ $ref: "#/components/parameters/limit" }],
      requestBody: { $ref: "#/components/requestBodies/node" },
    };
    expect(only({ "/nodes": { put } }, { components })?.inputSchema).toEqual({
      type: "object",
      properties: { limit: { $ref: "#/$defs/A_1B" }, body: { $ref: "#/$defs/Node" } },
      additionalProperties: false,
      $defs: { A_1B: { type: "string" }, Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" } } } },
    });
  });

  it("follows no reference out of the document, and none for ever", () => {
    const components = {
      parameters: { a: { $ref: "#/components/parameters/b" }, b: { $ref: "#/components/parameters/a" } },
    };
    const get = {
      parameters: [
        { $ref: "#/components/parameters/a" },
        { name: "x", in: "query", schema: { $ref: "file:///etc/passwd" } },
      ],
    };
    const read = readOperations(document({ "/a": { get }, "/b": { $ref: "other.yaml#/b" } }, { components }));
    expect(read.tools[0]?.inputSchema.properties).toEqual({ x: { $ref: "file:///etc/passwd" } });
    expect(read.notes).toEqual(["the path /b stands in another document, which is not read"]);
  });

  it("is known by its server, or by its title", () => {
    const server = (url: string) => readOperations(document({}, { servers: [{ url }] })).source.server;
    expect(server("https://api.shop.example/v2/")).toBe("https://api.shop.example/v2");
    expect(server("https://{region}.shop.example")).toBe("openapi://shop-api");
    expect(readOperations(document({})).source).toEqual({
      kind: "openapi",
      title: "Shop API 2",
      server: "openapi://shop-api",
    });
  });

  it("has a bound on its operations, and what is no map has none", () => {
    const paths = Object.fromEntries(Array.from({ length: operationsMax + 1 }, (_, at) => [`/${at}`, { get: {} }]));
    const { tools, notes } = readOperations(document(paths));
    expect(tools).toHaveLength(operationsMax);
    expect(notes).toHaveLength(1);
    expect(readOperations({ paths: [1], info: 7 }).tools).toEqual([]);
  });
});
