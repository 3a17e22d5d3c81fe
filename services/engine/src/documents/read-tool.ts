import { firstAbove, readAmounts } from "../amount.ts";
import { schemaProblemInSteps } from "../compile/schema.ts";
import { contradiction } from "../compile/schema-path.ts";
import type { Steps } from "../compile/steps.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { readLimits } from "./limits.ts";
import { modes } from "./mode.ts";
import { nearestName } from "./nearest.ts";
import { below, type Report } from "./origin.ts";
import { durationText, labelName, labels, prose, toolMetadata, toolText } from "./read-names.ts";
import {
  anyObject,
  listOf,
  oneOf,
  optional,
  type Reader,
  record,
  refined,
  required,
  type TextRule,
  text,
} from "./shape.ts";
import { risks, type ToolDocument } from "./tool.ts";
import { fixedCosts, readCost, readTolerance } from "./tool-cost.ts";

const pathCharsMax = 256;

const inputPath = text(
  { pattern: "^[^.\\s]+(\\.[^.\\s]+)*$", expected: "a path below the input, such as order_id" },
  pathCharsMax,
);
const callPath = text(
  {
    pattern: "^(input|context)(\\.[^.\\s]+)+$",
    expected: "a path into the input or the context, such as input.iban or context.user.email",
  },
  pathCharsMax,
);

const schemaDigest: TextRule = {
  pattern: "^sha256:[0-9a-f]{64}$",
  expected: "the digest of a schema, sha256:<64 hex digits>",
};

const toolShape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["Tool"])),
  metadata: required(toolMetadata),
  spec: required(
    record({
      server: optional(toolText),
      description: optional(prose),
      risk: required(oneOf(risks)),
      labels: optional(labels),
      inputSchema: optional(anyObject),
      offeredSchema: optional(text(schemaDigest)),
      contextSchema: optional(anyObject),
      idempotentOn: optional(listOf(inputPath, 1, 20)),
      timeout: optional(durationText),
      mode: optional(oneOf(modes)),
      cost: optional(readCost),
      maximum: optional(readAmounts),
      tolerance: optional(readTolerance),
      redact: optional(listOf(callPath, 1, 100)),
      outputLabels: optional(listOf(text(labelName, 128), 1, 64)),
      limits: optional(readLimits),
      status: optional(oneOf(["active", "suspended"])),
    }),
  ),
});

/** Reports what is wrong with the schemas of a tool that may have other problems. */
export function* checkSchemas(tool: JsonObject, report: Report): Steps<void> {
  const spec = isJsonObject(tool.spec) ? tool.spec : {};
  for (const key of ["inputSchema", "contextSchema"]) {
    const schema = spec[key];
    const problem = isJsonObject(schema) ? yield* schemaProblemInSteps(schema) : undefined;
    if (problem) report(`/spec/${key}${problem.pointer}`, problem.message, { code: "schema_invalid" });
  }
}

/** Reads everything but whether the schemas are ones: {@link checkSchemas}. */
export const readTool: Reader<ToolDocument> = refined(toolShape, (tool, _value, pointer, report) => {
  const spec = below(pointer, "spec");
  checkRedact(tool, spec, report);
  checkBusinessKey(tool, spec, report);
  checkCost(tool, spec, report);
  return tool;
});

/** A path that the tool's own schema contradicts is a typo: it would redact nothing, or identify no call. */
function checkPath(path: string, tool: ToolDocument, place: string, report: Report): void {
  const [root = "", ...keys] = path.split(".");
  const rootSchema = root === "input" ? tool.spec.inputSchema : tool.spec.contextSchema;
  const wrong = rootSchema && contradiction(rootSchema, keys);
  if (!wrong) return;
  const before = [root, ...keys.slice(0, wrong.at)].join(".");
  const names = wrong.names.map((name) => `${before}.${name}`);
  report(place, `the ${root} of this tool has no \`${before}.${keys[wrong.at]}\``, {
    code: "path_unknown",
    expected: names.length > 0 ? names.join(", ") : undefined,
    nearest: nearestName(`${before}.${keys[wrong.at]}`, names),
  });
}

function checkRedact(tool: ToolDocument, pointer: string, report: Report): void {
  const paths = tool.spec.redact ?? [];
  for (const [index, path] of paths.entries()) {
    const place = below(below(pointer, "redact"), index);
    if (paths.indexOf(path) !== index) report(place, `\`${path}\` is given twice`, { code: "given_twice" });
    else checkPath(path, tool, place, report);
  }
}

function checkBusinessKey(tool: ToolDocument, pointer: string, report: Report): void {
  const paths = tool.spec.idempotentOn ?? [];
  const properties = tool.spec.inputSchema?.properties;
  const hasInput = isJsonObject(properties) && Object.hasOwn(properties, "input");
  for (const [index, path] of paths.entries()) {
    const place = below(below(pointer, "idempotentOn"), index);
    const rooted = /^input\.(.+)/.exec(path)?.[1];
    if (paths.indexOf(path) !== index) report(place, `\`${path}\` is given twice`, { code: "given_twice" });
    else if (rooted !== undefined && !hasInput) {
      report(place, "the path begins below the input, so `input.` does not belong to it", { expected: rooted });
    } else checkPath(`input.${path}`, tool, place, report);
  }
}

function checkCost({ spec }: ToolDocument, pointer: string, report: Report): void {
  const above = firstAbove(fixedCosts(spec.cost), spec.maximum ?? []);
  if (!above || spec.cost === "none") return;
  const most = spec.maximum?.find(({ unit }) => unit === above.unit)?.value;
  const place = below(below(pointer, "cost"), spec.cost?.indexOf(above) ?? 0);
  report(place, `the cost of ${above.value} ${above.unit} is above the maximum of ${most} ${above.unit}`);
}
