import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { documentSchemas, everyDocumentSchema, formatProblem, type JsonValue, parseDocuments } from "../src/index.ts";
import { isJsonObject, type JsonObject } from "../src/json.ts";

const root = join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const validate = new Ajv2020({ strict: false, allErrors: false }).compile(everyDocumentSchema());

/** The documents that people find in our pages and examples. */
function written(file: string): JsonObject[] {
  const texts = file.endsWith(".md")
    ? [...read(file).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? "")
    : [read(file)];
  return texts
    .flatMap((text) => parseAllDocuments(text).map((one) => one.toJS() as JsonObject))
    .filter((one) => isJsonObject(one) && typeof one.kind === "string");
}

const files = [
  "docs/policy.md",
  "services/cli/examples/airline/airline.yaml",
  "services/cli/examples/airline/airline_test.yaml",
  "services/cli/test/fixtures/library/policy.yaml",
  "services/engine/test/cases/payments.yaml",
  "services/engine/test/cases/payments_test.yaml",
  "services/engine/test/cases/browsing.yaml",
];

const extra: JsonObject[] = [
  {
    ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: "refunds" } },
    spec: {
      ...{ unit: "EUR", limit: "500.00", window: "day", timeZone: "Europe/Berlin", enforcement: "hard" },
      ...{ owner: { team: "finance" }, per: ["principal", "input.customer_id"] },
    },
  },
  { apiVersion: "remit/v1", kind: "Group", metadata: { name: "leads" }, spec: { members: ["ada"] } },
];
const documents = [...files.flatMap(written), ...extra];

const problemsOf = (document: JsonValue) =>
  parseDocuments([{ file: "d.json", text: JSON.stringify(document) }]).problems.filter(
    ({ severity }) => severity === "error",
  );

/** Every place of a value, as the keys that lead there. */
function places(value: JsonValue, above: (string | number)[] = []): (string | number)[][] {
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => places(item, [...above, index]))
    : isJsonObject(value)
      ? Object.entries(value).flatMap(([key, item]) => places(item, [...above, key]))
      : [];
  return [above, ...inner];
}

type Edit = (value: JsonValue) => JsonValue | undefined;

/** The value with one place edited; undefined takes it away. */
function edited(value: JsonValue, [key, ...rest]: (string | number)[], edit: Edit): JsonValue | undefined {
  if (key === undefined) return edit(value);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (index === key ? (edited(item, rest, edit) ?? []) : [item])) as JsonValue;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).flatMap(([name, item]) => {
    const next = name === key ? edited(item, rest, edit) : item;
    return next === undefined ? [] : [[name, next] as const];
  });
  return Object.fromEntries(entries);
}

const odd = fc.constantFrom<JsonValue>(
  "",
  "x",
  "transform",
  "a b",
  -1,
  0,
  1.5,
  1e9,
  true,
  null,
  [],
  ["x"],
  {},
  { x: 1 },
);
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.constant<Edit>(() => undefined),
  odd.map(
    (value): Edit =>
      () =>
        value,
  ),
  fc.constantFrom("surprise", "set", "approval", "constraints", "window", "when").map((key): Edit => {
    return (value) => (isJsonObject(value) ? { ...value, [key]: "x" } : value);
  }),
  fc.constant<Edit>((value) => (Array.isArray(value) ? [...value, ...value] : value)),
);

const structural = new Set(["key_unknown", "key_missing", "kind_unknown"]);

describe("the JSON Schemas", () => {
  it("take every document of our pages and examples", () => {
    expect(documents.length).toBeGreaterThan(20);
    for (const document of documents) {
      expect(validate(document), JSON.stringify({ document, errors: validate.errors })).toBe(true);
    }
  });

  it("agree with what reads documents, however a document is changed", () => {
    const known = documents.filter(({ kind }) => kind !== "PolicyTest" && JSON.stringify(kind).length > 0);
    const small = known.filter((document) => JSON.stringify(document).length < 5_000);
    const change = fc
      .constantFrom(...small)
      .chain((document) => fc.tuple(fc.constant(document), fc.constantFrom(...places(document).slice(1)), edits));
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(change, ([document, place, edit]) => {
        const other = edited(document, place, edit) ?? {};
        const problems = problemsOf(other);
        const fits = validate(other);
        const shown = () => `${JSON.stringify(other)}\n${problems.map(formatProblem).join("\n")}`;
        if (problems.length === 0) {
          taken++;
          expect(fits, `${shown()}\n${JSON.stringify(validate.errors)}`).toBe(true);
        } else if (problems.some(({ code }) => structural.has(code))) {
          refused++;
          expect(fits, shown()).toBe(false);
        }
      }),
      { numRuns: 1500, seed: 20261121 },
    );
    expect(taken).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  it("are there for each kind alone", () => {
    const schemas = documentSchemas();
    expect(Object.keys(schemas)).toEqual(["Policy", "Tool", "Agent", "Budget", "Group", "PolicyTest"]);
    for (const document of documents) {
      const one = new Ajv2020({ strict: false }).compile(schemas[String(document.kind)] ?? false);
      expect(one(document)).toBe(true);
    }
  });

  it("forbid what belongs to another effect, as the reader does", () => {
    const rule = (more: JsonObject) => ({
      ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "p" } },
      spec: { rules: [{ id: "a", match: { tools: ["*"] }, ...more }] },
    });
    const approval = { approvers: ["ada"] };
    expect(validate(rule({ effect: "deny" }))).toBe(true);
    expect(validate(rule({ effect: "escalate", approval }))).toBe(true);
    for (const wrong of [
      { effect: "deny", approval },
      { effect: "escalate" },
      { effect: "transform" },
      { effect: "deny", constraints: { timeout: "1s" } },
      { effect: "allow", match: {} },
    ]) {
      expect(validate(rule(wrong as JsonObject)), JSON.stringify(wrong)).toBe(false);
      expect(problemsOf(rule(wrong as JsonObject))).not.toEqual([]);
    }
  });
});
