import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ListValueSchema, timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Bound, type Scope, scopeProblem } from "@remit/engine";
import type { BoundSchema, ScopeSchema, Bound as WireBound, Scope as WireScope } from "@remit/proto/common";
import { rfc3339 } from "../../foundation/clock.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { boundedList, labelsField, storedName, storedText, timeField } from "./fields.ts";

type Literal = string | number | boolean;

function literal(value: unknown, field: string): Literal {
  if (typeof value === "string") return storedText(value, field, limits.labelBytesMax);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  throw invalid(field, `${field} must be a text, a number or a boolean`);
}

const literals = (values: readonly unknown[], field: string) =>
  boundedList(values, field, limits.scopeEntriesMax).map((value) => literal(value, field));

function limitFrom({ limit }: WireBound, field: string): Partial<Bound> {
  switch (limit.case) {
    case "max":
    case "min":
      return { [limit.case]: limit.value };
    case "maxDecimal":
      return { max: storedName(limit.value, `${field}.max_decimal`, limits.labelBytesMax) };
    case "minDecimal":
      return { min: storedName(limit.value, `${field}.min_decimal`, limits.labelBytesMax) };
    case "in":
      return { in: literals(limit.value.values, `${field}.in`) };
    case "inLiterals":
      return {
        in: literals(
          limit.value.values.map(({ kind }) => kind.value),
          `${field}.in_literals`,
        ),
      };
    case "prefix":
      return { prefix: storedName(limit.value, `${field}.prefix`, limits.labelBytesMax) };
    case "equals":
      return { equals: storedText(limit.value, `${field}.equals`, limits.labelBytesMax) };
    case "equalsLiteral":
      return { equals: literal(limit.value.kind.value, `${field}.equals_literal`) };
    default:
      throw invalid(field, `${field} sets no limit`, { fix: "set one of max, min, in, prefix, equals" });
  }
}

/** A scope as it was asked for: what a document may say, no more. An empty list of tools is said to be a mistake. */
export function scopeFrom(wire: WireScope): Scope {
  if (wire.tools.length === 0) {
    throw invalid("scope.tools", "the scope grants no tool", { fix: 'name tools or globs; ["*"] is every tool' });
  }
  const tools = boundedList(wire.tools, "scope.tools", limits.scopeEntriesMax);
  const bounds = boundedList(wire.bounds, "scope.bounds", limits.scopeEntriesMax);
  if (wire.maxDepth > limits.delegationDepthMax) {
    throw invalid("scope.max_depth", "the scope allows too many delegations", {
      limit: `${limits.delegationDepthMax}`,
    });
  }
  const scope: Scope = {
    tools: tools.map((glob) => storedName(glob, "scope.tools", limits.toolNameBytesMax)),
    bounds: bounds.map((bound, at) => ({
      tool: storedName(bound.tool, `scope.bounds[${at}].tool`, limits.toolNameBytesMax),
      path: storedName(bound.path, `scope.bounds[${at}].path`, limits.nameBytesMax),
      ...limitFrom(bound, `scope.bounds[${at}]`),
    })),
    labels: labelsField(wire.labels, "scope.labels"),
    maxDepth: wire.maxDepth,
    ...(wire.expiresAt && { expiresAt: rfc3339(timeField(wire.expiresAt, "scope.expires_at")) }),
    ...(wire.disclose && { disclose: true }),
  };
  const problem = scopeProblem(scope);
  if (!problem) return scope;
  const field = `scope${problem.pointer.replace(/\/([0-9]+)/g, "[$1]").replaceAll("/", ".")}`;
  throw invalid(
    field,
    `${field}: ${problem.message}`,
    problem.expected === undefined ? {} : { fix: `send ${problem.expected}` },
  );
}

type WireLimit = NonNullable<MessageInitShape<typeof BoundSchema>["limit"]>;

function orderToWire(name: "max" | "min", limit: number | string): WireLimit {
  if (typeof limit === "number") return { case: name, value: limit };
  return { case: name === "max" ? "maxDecimal" : "minDecimal", value: limit };
}

function limitToWire({ max, min, in: values, prefix, equals }: Bound): WireLimit {
  if (max !== undefined) return orderToWire("max", max);
  if (min !== undefined) return orderToWire("min", min);
  if (prefix !== undefined) return { case: "prefix", value: prefix };
  if (values === undefined) {
    if (typeof equals === "string") return { case: "equals", value: equals };
    return { case: "equalsLiteral", value: fromJson(ValueSchema, equals ?? null) };
  }
  const texts = values.filter((value) => typeof value === "string");
  if (texts.length === values.length) return { case: "in", value: { values: texts } };
  return { case: "inLiterals", value: fromJson(ListValueSchema, [...values]) };
}

export function scopeToWire(scope: Scope): MessageInitShape<typeof ScopeSchema> {
  return {
    tools: [...scope.tools],
    bounds: (scope.bounds ?? []).map((bound) => ({ tool: bound.tool, path: bound.path, limit: limitToWire(bound) })),
    labels: { ...scope.labels },
    maxDepth: scope.maxDepth ?? 0,
    ...(scope.expiresAt && { expiresAt: timestampFromMs(Date.parse(scope.expiresAt)) }),
    disclose: scope.disclose ?? false,
  };
}
