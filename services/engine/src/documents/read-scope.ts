import { parseTimestampNs } from "../instant.ts";
import { isJsonObject } from "../json.ts";
import type { Bound, Scope } from "../judge/scope.ts";
import { globText, labels } from "./read-names.ts";
import {
  described,
  finiteNumber,
  integer,
  listOf,
  optional,
  type Reader,
  record,
  required,
  scalar,
  text,
} from "./shape.ts";

const limits = ["max", "min", "in", "prefix", "equals"];

const boundShape = record({
  tool: required(globText),
  path: required(
    text({
      pattern: "^input(\\.[^.\\s]+)+$",
      expected: "a path into the input, such as input.amount",
    }),
  ),
  max: optional(finiteNumber),
  min: optional(finiteNumber),
  in: optional(listOf(scalar, 1, 1000)),
  prefix: optional(text()),
  equals: optional(scalar),
});

const oneLimit = { oneOf: limits.map((limit) => ({ required: [limit] })) };

const readBound: Reader<Bound> = described({ ...boundShape.schema, ...oneLimit }, (value, pointer, report) => {
  const bound = boundShape(value, pointer, report);
  const given = isJsonObject(value) ? limits.filter((name) => Object.hasOwn(value, name)) : [];
  if (!isJsonObject(value) || given.length === 1) return bound;
  report(pointer, given.length === 0 ? "a bound without a limit" : `a bound with ${given.length} limits`, {
    code: "combination_invalid",
    expected: `exactly one of ${limits.join(", ")}`,
  });
  return undefined;
});

/** A scope as agents' ceilings and session requests write it. */
export const readScope: Reader<Scope> = record({
  tools: required(listOf(globText, 0, 1000)),
  bounds: optional(listOf(readBound, 0, 200)),
  labels: optional(labels),
  maxDepth: optional(integer(0, 8)),
  expiresAt: optional(
    text({
      test: (at) => parseTimestampNs(at) !== undefined,
      expected: "an RFC 3339 timestamp, such as 2026-03-01T00:00:00Z",
    }),
  ),
});
