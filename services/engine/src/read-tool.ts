import type { JsonObject } from "./json.ts";
import { modes } from "./mode.ts";
import { durationText, labels, prose, toolMetadata, toolText } from "./read-names.ts";
import { schemaProblem } from "./schema.ts";
import { anyObject, listOf, oneOf, optional, type Reader, record, required, text } from "./shape.ts";
import { risks, type ToolDocument } from "./tool.ts";

const schema: Reader<JsonObject> = (value, pointer, report) => {
  const object = anyObject(value, pointer, report);
  const problem = object && schemaProblem(object);
  if (problem === undefined) return object;
  report(pointer + problem.pointer, problem.message);
  return undefined;
};

export const readTool: Reader<ToolDocument> = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Tool"])),
  metadata: required(toolMetadata),
  spec: required(
    record({
      server: optional(toolText),
      description: optional(prose),
      risk: required(oneOf(risks)),
      labels: optional(labels),
      inputSchema: optional(schema),
      contextSchema: optional(schema),
      idempotentOn: optional(listOf(text(undefined, 256), 1, 20)),
      timeout: optional(durationText),
      mode: optional(oneOf(modes)),
    }),
  ),
});
