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
const prices = [
  "5",
  "5.00",
  "500",
  "0.25",
  "0.1",
  "5.004",
  "007",
  "-5",
  "+5",
  "1e3",
  "5,00",
  "",
  ".5",
  "5.",
  "1.2345678",
];
const largePrices = ["2305843009213.693952", "2305843009213.693953", "12345678901234", "0.000001"];
export const addresses = [
  ...["10.0.0.7", "10.255.0.1", "192.168.1.1", "0.0.0.0", "fd00::1", "[fd00::1]", "FD00:0:0:0:0:0:0:1", "::1", "::"],
  ...["::ffff:10.0.0.1", "::ffff:a00:1", "[::ffff:192.168.1.1]", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::"],
  ...["2001:0:a::1", "::10.0.0.1", "010.0.0.7", "0x0a.0.0.7", "10.7", "10.0.0.256", "10.0.0.7:80", "[10.0.0.7]"],
  ...["fe80::1%eth0", "localhost", "", "10.0.0.7 ", "1::2::3", "167772167"],
];
export const mails = [
  ...["ada@acme.com", "ADA@Acme.com", "Ada <ada@acme.com>, bob@eu.acme.com", '"Ada L." <ada@acme.com>'],
  ...[
    "evil@x.com, a@acme.com",
    "a@acme.com,evil@x.com",
    '"Ada, L" <ada@acme.com>',
    "a@b@acme.com",
    "evil@x.com@acme.com",
  ],
  ...[
    "ada@acme.com.",
    "ada@acme",
    "ada%x@acme.com",
    "(c) ada@acme.com",
    "team: ada@acme.com;",
    "ada@acme.com\nbcc: x@y.io",
  ],
  ...[
    "ädä@acme.com",
    "ada@größe.de",
    "ada@acme.com,",
    "<ada@acme.com>",
    "ada@xn--gre-6ka8n.de",
    "a..b@acme.com",
    "",
    "ada",
  ],
  ...[
    "-a@acme.com",
    "ada@1.2.3.4",
    "'ada@acme.com' <bob@acme.com>",
    "ada @acme.com",
    "\u212Aay@acme.com",
    '"a b"@acme.com',
  ],
  ...["Ada <ada@acme.com> x", "=?utf-8?q?x?= <a@acme.com>", "x!y@acme.com", " ada@acme.com  ", "o'b+c=d@acme.com"],
];
export const commands = [
  ...["git status", "git push origin", "  git   log  ", "git commit -m 'a b'", 'git "a b"', "g''it push", "git HEAD~1"],
  ...["git ''", 'git "a\\"b"', "git a\\ b", "ls -la /tmp", "rm -rf /", "git; rm -rf /", "git status;", "git $HOME"],
  ...[
    "git 'open",
    'git "open',
    "git \\",
    "PATH=/tmp git",
    "'A=b' git",
    "~/bin/x",
    "git ~",
    "git *",
    "if true",
    "'if' x",
  ],
  ...['git "$x"', "git '$x'", "git # c", "git a>b", "git\nrm", 'git -m "a!b"', "git {a,b}", "=x", "git é", "git 'é'"],
  ...["", "   ", "''", "git a=b", "git =b", "git a|b", "git &", "git `x`", "git \u200bx", "time ls", "a\\=b git"],
];
const zones = ["Europe/Berlin", "UTC", "America/New_York", "+02:00", "EST", "CET", "Mars/Olympus", "+25:00", ""];
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
  price: { schema: { type: "string" }, values: [...prices, ...prices, ...largePrices] },
  currency: {
    schema: { type: "string" },
    values: ["EUR", "EUR", "USD", "tokens", "Euro", "€", "", "EURO", "_x", "Tokens"],
  },
  ip: { schema: { type: "string" }, values: addresses },
  mail: { schema: { type: "string" }, values: mails },
  command: { schema: { type: "string" }, values: commands },
  zone: { schema: { type: "string" }, values: zones },
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
