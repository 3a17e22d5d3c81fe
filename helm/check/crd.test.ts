import { expect, test } from "vitest";
import { schemasOf } from "./crd.ts";

const definition = (schema: string) => `
kind: CustomResourceDefinition
spec:
  group: rules.example.com
  names: { kind: Rule }
  versions:
    - name: v1
      schema:
        openAPIV3Schema: ${schema}
`;

test("a definition becomes a schema under the name that is looked for, and unknown fields are errors", () => {
  const text = definition(
    "{ type: object, required: [spec], properties: { spec: { type: object, properties: { a: { type: string } } } } }",
  );
  expect(schemasOf(`${text}---\nkind: ConfigMap\n`)).toEqual({
    "rule-rules-v1": {
      type: "object",
      required: ["spec", "apiVersion", "kind", "metadata"],
      additionalProperties: false,
      properties: {
        apiVersion: { const: "rules.example.com/v1" },
        kind: { const: "Rule" },
        metadata: { type: "object" },
        spec: { type: "object", additionalProperties: false, properties: { a: { type: "string" } } },
      },
    },
  });
});

test("fields that are to be kept are, numbers may be texts where it says so, and maps take any name", () => {
  const text = definition(`
          type: object
          properties:
            kept: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { a: { type: string } } }
            port: { x-kubernetes-int-or-string: true }
            labels: { type: object, additionalProperties: { type: string } }
            pattern: { type: string, format: int32, default: x }`);
  const [schema] = Object.values(schemasOf(text)) as { properties: Record<string, object> }[];
  expect(schema?.properties.kept).not.toHaveProperty("additionalProperties");
  expect(schema?.properties.port).toMatchObject({ type: ["integer", "string"] });
  expect(schema?.properties.labels).toMatchObject({ additionalProperties: { type: "string" } });
  expect(schema?.properties.pattern).toEqual({ type: "string" });
});
