import { absoluteParts } from "../cel/paths.ts";
import { signedDecimalPattern } from "../decimal.ts";
import { parseTimestampNs } from "../instant.ts";
import { isJsonObject, type JsonValue } from "../json.ts";
import { type Bound, limitNames } from "../judge/limit.ts";
import type { Scope } from "../judge/scope.ts";
import { globText, labels } from "./read-names.ts";
import {
  described,
  finiteNumber,
  flag,
  integer,
  listOf,
  optional,
  type Reader,
  record,
  required,
  scalar,
  text,
} from "./shape.ts";

const decimal = text({
  pattern: signedDecimalPattern,
  expected: 'a number, or a decimal written as text, such as "12.50"',
});

/** A number, which bounds numbers, or a decimal written as text, which bounds those too. */
const limit: Reader<number | string> = described(
  { anyOf: [finiteNumber.schema ?? {}, decimal.schema ?? {}] },
  (value, pointer, report) =>
    typeof value === "number" ? finiteNumber(value, pointer, report) : decimal(value, pointer, report),
);

const originOnly = /^[a-z][a-z0-9+.-]*:\/\/[^/]*$/i;

const prefix = text({
  test: (start) => (start.startsWith("/") ? absoluteParts(start) !== undefined : !originOnly.test(start)),
  expected: "a directory such as /workspace, the beginning of a text, or of a URL with the slash after its host",
});

const boundShape = record({
  tool: required(globText),
  path: required(
    text({
      pattern: "^input(\\.[^.\\s]+)+$",
      expected: "a path into the input, such as input.amount",
    }),
  ),
  max: optional(limit),
  min: optional(limit),
  in: optional(listOf(scalar, 1, 1000)),
  prefix: optional(prefix),
  equals: optional(scalar),
});

const oneLimit = { oneOf: limitNames.map((limit) => ({ required: [limit] })) };

const readBound: Reader<Bound> = described({ ...boundShape.schema, ...oneLimit }, (value, pointer, report) => {
  const bound = boundShape(value, pointer, report);
  const given = isJsonObject(value) ? limitNames.filter((name) => Object.hasOwn(value, name)) : [];
  if (!isJsonObject(value) || given.length === 1) return bound;
  report(pointer, given.length === 0 ? "a bound without a limit" : `a bound with ${given.length} limits`, {
    code: "combination_invalid",
    expected: `exactly one of ${limitNames.join(", ")}`,
  });
  return undefined;
});

const scopeFields = {
  tools: required(listOf(globText, 0, 1000)),
  bounds: optional(listOf(readBound, 0, 200)),
  labels: optional(labels),
  disclose: optional(flag),
  maxDepth: optional(integer(0, 8)),
  expiresAt: optional(
    text({
      test: (at) => parseTimestampNs(at) !== undefined,
      expected: "an RFC 3339 timestamp, such as 2026-03-01T00:00:00Z",
    }),
  ),
};

/** A scope as agents' ceilings and session requests write it. */
export const readScope: Reader<Scope> = record(scopeFields);

const wholeScope = record({
  digest: required(text({ pattern: "^sha256:[0-9a-f]{64}$", expected: "sha256: and 64 hex digits" })),
  tools: required(integer(0, 1_000_000)),
  bounds: required(integer(0, 1_000_000)),
});

/** The same as entries write it: of a long one, what it says of one tool. */
export const readScopeOfEntry: Reader<Scope> = record({ ...scopeFields, partOf: optional(wholeScope) });

/** What is wrong with a scope that did not come from a document: the place as a JSON pointer, the first problem alone. */
export interface ScopeProblem {
  readonly pointer: string;
  readonly message: string;
  readonly expected: string | undefined;
}

/** Undefined for a scope that a document may have. */
export function scopeProblem(scope: Scope): ScopeProblem | undefined {
  let first: ScopeProblem | undefined;
  readScope(scope as unknown as JsonValue, "", (pointer, message, details) => {
    first ??= { pointer, message, expected: details?.expected };
  });
  return first;
}
