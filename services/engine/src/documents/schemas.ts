import type { JsonObject } from "../json.ts";
import { readPolicyTest } from "../testing/read-policy-test.ts";
import { readAgent } from "./read-agent.ts";
import { readBudget } from "./read-budget.ts";
import { readGroup } from "./read-group.ts";
import { readPolicy } from "./read-policy.ts";
import { readTool } from "./read-tool.ts";
import type { Reader } from "./shape.ts";

const readers: Readonly<Record<string, Reader<unknown>>> = {
  Policy: readPolicy,
  Tool: readTool,
  Agent: readAgent,
  Budget: readBudget,
  Group: readGroup,
  PolicyTest: readPolicyTest,
};

const draft = "https://json-schema.org/draft/2020-12/schema";

/**
 * A JSON Schema (draft 2020-12) of every kind of document, by its name, made from what reads them: whatever a reader
 * takes fits the schema. A reader refuses more: conditions that do not compile, names that stand twice.
 */
export function documentSchemas(): Readonly<Record<string, JsonObject>> {
  const entries = Object.entries(readers).map(([kind, { schema = {} }]) => {
    return [kind, { $schema: draft, title: `Remit ${kind}`, ...schema }] as const;
  });
  return Object.fromEntries(entries);
}

/** One schema for files that hold documents of any kind: `kind` says which of them is meant. */
export function everyDocumentSchema(): JsonObject {
  const kinds = Object.keys(readers);
  return {
    $schema: draft,
    title: "Remit document",
    type: "object",
    properties: { kind: { enum: kinds } },
    required: ["kind"],
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ["kind"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(Object.entries(readers).map(([kind, { schema = {} }]) => [kind, schema])),
  };
}
