import { parseAllDocuments } from "yaml";

type Json = { [key: string]: unknown };

interface Definition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Json } }[];
  };
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** As the API server takes it with strict field validation: unknown fields are errors, unless they are to be kept. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (!isObject(schema)) return schema;
  const { properties, ...rest } = schema;
  const out: Json = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, strict(value)]));
  // Patterns of Kubernetes are RE2's, and defaults and examples are no schemas.
  for (const key of ["format", "default", "example"]) delete out[key];
  if (schema["x-kubernetes-int-or-string"] === true) out.type = ["integer", "string"];
  if (isObject(properties)) {
    out.properties = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, strict(value)]));
    const keeps = schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties !== undefined;
    if (schema.type === "object" && !keeps) out.additionalProperties = false;
  }
  return out;
}

/**
 * JSON schemas for the kinds that a file of CustomResourceDefinitions makes, by the names that kubeconform looks for:
 * kind, the first part of the group, version.
 */
export function schemasOf(text: string): Record<string, object> {
  const schemas: Record<string, object> = {};
  for (const document of parseAllDocuments(text)) {
    const definition = document.toJS() as Definition | null;
    if (definition?.kind !== "CustomResourceDefinition") continue;
    const { group, names, versions } = definition.spec;
    for (const { name, schema } of versions) {
      const whole = strict(schema.openAPIV3Schema) as Json;
      const properties = {
        apiVersion: { const: `${group}/${name}` },
        kind: { const: names.kind },
        metadata: { type: "object" },
      };
      whole.properties = { ...(whole.properties as Json), ...properties };
      whole.required = [...new Set([...((whole.required as string[]) ?? []), "apiVersion", "kind", "metadata"])];
      schemas[`${names.kind}-${group.split(".")[0]}-${name}`.toLowerCase()] = whole;
    }
  }
  return schemas;
}
