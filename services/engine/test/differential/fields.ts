import type { JsonObject, JsonValue } from "../../src/index.ts";
import type { Random } from "./random.ts";

/** An argument that generated tools have: its schema, the values it takes, and values of other types. */
interface Field {
  readonly schema: JsonObject;
  readonly values: readonly JsonValue[];
}

export const words = ["DE", "FR", "ada", "mia", "rent", "", "Größe", "😀a", "a,b", "US "];
export const paths = [
  "/workspace/a.txt",
  "/workspace/../etc/passwd",
  "/workspace/./b/../c",
  "/workspaces/x",
  "/workspace",
  "/",
  "notes.txt",
  "../up",
  "~/passwd",
  "/a%2e%2e/b",
  "/a/．．/b",
  "C:\\x",
];
export const urls = [
  "https://api.acme.com/orders",
  "https://EU.acme.com:8443/x/../y?q=1",
  "https://api.acme.com.evil.io/",
  "https://api.acme.com@evil.io/",
  "http://10.0.0.7/",
  "http://0x7f.1/",
  "http://2130706433/",
  "https://acme.com\\@evil.io",
  "ftp://files.acme.com/a%20b",
  "no url",
  "https://acme.com/%2e%2e/x",
];
const sku = ["A1", "B2", "C3"];
const numbers = [0, 1, 2, 2.5, 3, 5, 100, 500.01, -1, 0.1, 1e15, 9007199254740992];
const wholes = [0, 1, 2, 3, 7, 10, -4];

const person = {
  type: "object",
  properties: { country: { type: "string" }, n: { type: "number" }, k: { type: "integer" } },
};
const item = { type: "object", properties: { sku: { type: "string" }, price: { type: "number" } } };

/** Every argument there is. A whole number of a tool without a schema is a double. */
export const fields: Readonly<Record<string, Field>> = {
  amount: { schema: { type: "number" }, values: numbers },
  count: { schema: { type: "integer" }, values: wholes },
  text: { schema: { type: "string" }, values: words },
  path: { schema: { type: "string" }, values: paths },
  url: { schema: { type: "string" }, values: urls },
  flag: { schema: { type: "boolean" }, values: [true, false] },
  list: { schema: { type: "array", items: { type: "number" } }, values: [[], [1, 2, 3], [2.5], [5, 0, 1]] },
  tags: {
    schema: { type: "array", items: { type: "string" } },
    values: [[], ["ada"], ["DE", "FR"], ["rent", "", "mia"]],
  },
  ids: { schema: { type: "array", items: { type: "integer" } }, values: [[], [1, 2], [7, 7, 3]] },
  to: {
    schema: person,
    values: [
      { country: "DE", n: 1, k: 2 },
      { country: "FR", n: 2.5, k: 7 },
      { country: "US", n: 0, k: 0 },
    ],
  },
  items: {
    schema: { type: "array", items: item },
    values: [
      [],
      [{ sku: "A1", price: 5 }],
      [
        { sku: "B2", price: 2.5 },
        { sku: "A1", price: 0 },
      ],
    ],
  },
  memo: { schema: { type: "string" }, values: ["rent", "tax", ""] },
  any: { schema: {}, values: ["DE", 5, 2.5, true, null, [1, "a"], ["x"], { a: 1 }, {}, "5"] },
};

/** Values of every type. */
const others: readonly JsonValue[] = [
  "DE",
  "5",
  5,
  2.5,
  true,
  false,
  null,
  [],
  [1, "x"],
  ["DE"],
  {},
  { country: 5 },
  { sku },
];

/** An input with most of the arguments, each of its type. */
export function properInput(random: Random, names: readonly string[]): Record<string, JsonValue> {
  const input: Record<string, JsonValue> = {};
  for (const name of names) {
    if (name === "memo" && random.chance(0.5)) continue;
    input[name] = random.pick(fields[name]?.values ?? others);
  }
  return input;
}

/** A copy with one part gone or of another value, somewhere. */
export function damaged(random: Random, value: JsonObject): JsonObject {
  const keys = Object.keys(value);
  if (keys.length === 0) return { any: random.pick(others) };
  const key = random.pick(keys);
  const inner = value[key];
  if (random.chance(0.3) && typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
    return { ...value, [key]: damaged(random, inner as JsonObject) };
  }
  if (random.chance(0.5)) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key]: random.pick(others) };
}
