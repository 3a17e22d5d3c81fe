import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import { parseDocuments } from "../documents/parse.ts";
import { formatProblem } from "../documents/problem.ts";
import type { JsonObject } from "../json.ts";
import { namesOfAll, namesOfFiles } from "./known-names.ts";
import { lint } from "./lint.ts";
import { lookOf } from "./name-confusable.ts";

const document = (kind: string, name: string, spec: JsonObject) =>
  JSON.stringify({ apiVersion: "remit/v1", kind, metadata: { name }, spec });

const house = [
  toolText("pay", {
    server: "mcp://bank/main",
    inputSchema: {
      type: "object",
      properties: { target: { type: "string", format: "uri" }, memo: { type: "string" } },
    },
  }),
  document("Agent", "clerk", { labels: { team: "finance" } }),
  document("Group", "finance-leads", { members: ["ada"] }),
  document("Budget", "refunds", { unit: "EUR", limit: "5", window: "day" }),
];

/** What lint says of a text beside the house's documents. */
function warnings(text: string, others: readonly string[] = house) {
  const { documents, problems } = parseDocuments([{ file: "p.yaml", text: [text, ...others].join("\n---\n") }]);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return lint(documents, namesOfAll(documents));
}

const rule = (more: JsonObject, spec: JsonObject = {}) =>
  policyText([{ id: "a", match: { tools: ["pay"] }, effect: "allow", ...more }], spec);
const codes = (more: JsonObject, spec: JsonObject = {}) => warnings(rule(more, spec)).map(({ code }) => code);

describe("what people do not see in a condition", () => {
  it.each<[string, string]>([
    ['input.amount <= 500 // small && input.memo == "DE"', "a comment that runs to the end"],
    ["input.amount > 5 //x", "a comment that runs to the end"],
    ['input.memo == "//" // "', "a comment that runs to the end"],
    ['input.memo == "ad\u200bmin"', "a character that cannot be seen"],
    ['input.memo == "a\u202e"', "a character that cannot be seen"],
    ['input.memo == "a\u2028"', "a character that cannot be seen"],
  ])("is told: %j", (when, message) => {
    const [warning, ...more] = warnings(rule({ when }));
    expect(warning).toMatchObject({ code: "text_hidden", severity: "warning" });
    expect(warning?.message).toContain(message);
    expect(more).toEqual([]);
  });

  it.each([
    "input.amount > 5 // small\n && input.memo != 'DE'",
    "input.memo == \"https://a\" || input.memo == r\"//\" || input.memo == '''//'''",
    'input.memo == "\\u200b"',
    "input.amount > 5 //",
    "input.amount\t> 5\n",
  ])("is nothing where it is seen: %j", (when) => expect(codes({ when })).toEqual([]));
});

describe("comparing as text what has spellings", () => {
  it.each<[string, string]>([
    ['input.path.startsWith("/workspace/")', 'path.within(input.path, "/workspace")'],
    ['input.target_file.contains("..")', "path.within(input.target_file, DIRECTORY)"],
    ['input.note.startsWith("/workspace")', 'path.within(input.note, "/workspace")'],
    ['input.url.startsWith("https://api.acme.com")', 'url.host(input.url) == "api.acme.com"'],
    ['input.callbackUrl.startsWith("https://")', 'url.scheme(input.callbackUrl) == "https"'],
    ['input.target.endsWith(".acme.com")', 'url.host(input.target).endsWith(".acme.com")'],
    ['input.url.contains("/admin")', 'url.path(input.url).contains("/admin")'],
    ['input.command.startsWith("git ")', 'argv(input.command)[0] == "git"'],
    ['input.to.endsWith("@acme.com")', 'email.addresses(input.to).all(a, email.domain(a) == "acme.com")'],
    ['input.path.lowerAscii().startsWith("/tmp")', 'path.within(input.path, "/tmp")'],
    ['input.files.all(f, f.path.startsWith("/tmp"))', 'path.within(f.path, "/tmp")'],
    ['input.files.exists(f, f.startsWith("/tmp"))', 'path.within(f, "/tmp")'],
    ['input.files[0].startsWith("/tmp")', 'path.within(input.files[…], "/tmp")'],
    [
      'input.url.contains("Acme.com")',
      'url.host(input.url) == "acme.com" || url.host(input.url).endsWith(".acme.com")',
    ],
    [
      'input.url.endsWith("acme.com")',
      'url.host(input.url) == "acme.com" || url.host(input.url).endsWith(".acme.com")',
    ],
    ['input.path.matches("^/workspace/.*$")', "path.within(input.path, DIRECTORY)"],
    ['!input.url.matches("evil[.]io")', "url.host(input.url) and url.path(input.url)"],
    ['input.command.split(" ")[0] == "git"', "argv(input.command), word by word"],
    ['vars.where.startsWith("/tmp")', 'path.within(input.path, "/tmp")'],
  ])("%s is told with what to write", (when, expected) => {
    const [warning, ...more] = warnings(
      rule({ when: `${when} && input.memo != ""` }, { variables: { where: "input.path" } }),
    );
    expect(warning).toMatchObject({ code: "helper_advised", severity: "warning" });
    expect(warning?.expected).toContain(expected);
    expect(more).toEqual([]);
  });

  it.each([
    'input.memo.startsWith("rent")',
    'input.url.contains("?")',
    'input.profile.contains("x")',
    'input.path.endsWith(".txt")',
    'url.host(input.url).endsWith(".acme.com")',
    'path.base(input.path).startsWith("tmp-")',
    'agent.labels.team.startsWith("fin")',
    'input.code.startsWith("DE")',
    'input.file.matches("^[a-z0-9_]+\\\\.txt$")',
    'input.path.split("/").exists(p, p == ".git")',
    'url.host(input.url).contains("acme.com")',
  ])("%s is left alone", (when) => expect(codes({ when, effect: "deny" })).toEqual([]));

  const host = "url.host(input.url)";
  it.each<[JsonObject, string]>([
    [{ when: `${host}.endsWith("acme.com")` }, 'url.host(…) == "acme.com" || url.host(…).endsWith(".acme.com")'],
    [{ when: `${host}.contains("acme.com") && input.memo != ""` }, 'url.host(…) == "acme.com"'],
    [{ when: `${host}.startsWith("api.acme.com")` }, 'url.host(…) == "api.acme.com"'],
    [{ unless: `!${host}.endsWith("acme.com")` }, 'url.host(…) == "acme.com"'],
    [{ unless: `${host}.endsWith("acme.com")`, effect: "deny" }, 'url.host(…) == "acme.com"'],
    [{ when: `!${host}.endsWith("acme.com")`, effect: "deny" }, 'url.host(…) == "acme.com"'],
    [{ when: 'vars.host.endsWith("acme.com")' }, 'vars.host == "acme.com" || vars.host.endsWith(".acme.com")'],
    [{ when: 'vars.ours && input.memo != ""' }, 'vars.host == "acme.com"'],
    [
      { when: 'email.addresses(input.to).all(a, a.endsWith("acme.com"))' },
      'email.domain(a) == "acme.com" || email.domain(a).endsWith(".acme.com")',
    ],
    [{ when: 'email.domain(input.to).endsWith("acme.com")' }, 'email.domain(…) == "acme.com"'],
  ])("a host by a part of its name is told where that permits: %j", (more, expected) => {
    const [warning, ...rest] = warnings(rule(more, { variables: { host, ours: 'vars.host.endsWith("acme.com")' } }));
    expect(warning).toMatchObject({ code: "helper_advised", severity: "warning" });
    expect(warning?.message).toBe("a host by a part of its name, which another one has too");
    expect(warning?.expected).toContain(expected);
    expect(rest).toEqual([]);
  });

  it.each<JsonObject>([
    { when: `${host}.endsWith("acme.com")`, effect: "deny" },
    { unless: `${host}.contains("evil")` },
    { when: `${host}.endsWith(".acme.com")` },
    { when: 'email.addresses(input.to).all(a, a.endsWith("@acme.com"))' },
    { when: `${host}.endsWith(input.memo)` },
  ])("a host by a part of its name is left alone where that forbids, and a whole part: %j", (more) =>
    expect(codes(more)).toEqual([]),
  );

  it("in a variable is told once, at the variable, however many rules use it", () => {
    const rules = ["a", "b", "c"].map((id) => ({ id, match: { tools: ["pay"] }, effect: "deny", when: "vars.inside" }));
    const found = warnings(policyText(rules as never, { variables: { inside: 'input.path.startsWith("/a")' } }));
    expect(found).toHaveLength(1);
  });
});

describe("patterns that are searched for", () => {
  it.each([
    { when: 'input.memo.matches("rent")' },
    { when: 'input.memo.matches("^rent")' },
    { when: 'input.memo.matches("rent$")' },
    { when: 'input.memo.matches("^rent|food$")' },
    { when: 'input.memo.matches("^rent[.]\\\\$")' },
    { when: "vars.fits" },
    { unless: '!input.memo.matches("rent")' },
  ])("let an allow in by a part: %j", (more) => {
    expect(codes(more as JsonObject, { variables: { fits: 'input.memo.matches("rent")' } })).toEqual([
      "pattern_unanchored",
    ]);
  });

  it.each([
    { when: 'input.memo.matches("^rent$")' },
    { when: 'input.memo.matches("(?i)^(?:rent|food)$")' },
    { when: 'input.memo.matches("\\\\Arent\\\\z")' },
    { when: 'input.memo.matches("^[|]$")' },
    { when: '!input.memo.matches("secret")' },
    { unless: 'input.memo.matches("secret")' },
    { effect: "deny", when: 'input.memo.matches("secret")' },
  ])("are the strict way where they keep something out: %j", (more) => expect(codes(more as JsonObject)).toEqual([]));

  it("are told with the anchored one", () => {
    const [warning] = warnings(rule({ when: 'input.memo.matches("^a|b$")' }));
    expect(warning?.expected).toBe('"^(?:^a|b$)$"');
  });
});

describe("an allow that rests on what the caller says", () => {
  it.each([
    { when: "context.user_confirmed == true" },
    { when: ["context.a == 1", "answers.b == 2"] },
    { unless: "vars.unconfirmed" },
    { when: "context.items.all(item, item.ok)" },
  ])("alone is told: %j", (more) => {
    const found = warnings(
      policyText([{ id: "a", match: { tools: ["*"] }, effect: "allow", ...more } as never], {
        variables: { unconfirmed: "context.confirmed != true" },
      }),
    );
    expect(found).toMatchObject([{ code: "asserted_only" }]);
  });

  it.each([
    { when: "context.user == principal.id" },
    { when: ["context.ok == true", "input.memo != ''"] },
    { when: "input.memo == 'x'" },
    {},
    { effect: "deny", when: "context.night == true" },
  ])("is left alone where anything else is looked at: %j", (more) => expect(codes(more as JsonObject)).toEqual([]));
});

describe("names that do not exist", () => {
  it("are told with the nearest: groups, servers, labels, budgets are each held against what is declared", () => {
    const approval = { approvers: ["group:finance-leeds", "ada", "group:finance-leads"] };
    const [group, ...others] = warnings(rule({ effect: "escalate", approval }));
    expect(group).toMatchObject({ code: "group_undeclared", nearest: "group:finance-leads" });
    expect(others).toEqual([]);
    expect(warnings(rule({ match: { servers: ["mcp://bnak/main", "mcp://bank/*"] } }))).toMatchObject([
      { code: "server_unknown", nearest: "mcp://bank/main" },
    ]);
    const applies = (matchLabels: JsonObject) => rule({}, { appliesTo: { agents: { matchLabels } } });
    expect(warnings(applies({ tem: "finance" }))).toMatchObject([{ code: "label_unknown", nearest: "team" }]);
    expect(warnings(applies({ team: "finanse" }))).toMatchObject([{ code: "label_unknown", nearest: "finance" }]);
    expect(warnings(applies({ team: "finance" }))).toEqual([]);
  });

  it("are not looked for among files that declare nothing of the kind", () => {
    const text = rule({ effect: "escalate", approval: { approvers: ["group:leads"] } });
    const { documents } = parseDocuments([{ file: "p.yaml", text }]);
    expect(lint(documents, namesOfFiles(documents))).toEqual([]);
    expect(lint(documents, namesOfAll(documents))).toMatchObject([{ code: "group_undeclared" }]);
  });
});

describe("names that look alike", () => {
  it("of documents and rules are told", () => {
    const twin = policyText([
      { id: "pay-1", match: { tools: ["*"] }, effect: "allow" },
      { id: "Pay-l", match: { tools: ["*"] }, effect: "deny", when: "input.amount > 1" },
    ]);
    expect(warnings(twin)).toMatchObject([{ code: "name_confusable", message: "`Pay-l` looks like `pay-1`" }]);
    expect(warnings(toolText("PAY"))).toMatchObject([{ code: "name_confusable" }]);
  });

  it("of arguments are told in any script, and those that nobody sees whole", () => {
    const argument = (...names: string[]) =>
      warnings(
        toolText("t", { inputSchema: { type: "object", properties: Object.fromEntries(names.map((n) => [n, {}])) } }),
      );
    expect(argument("amount", "\u0430mount")).toMatchObject([{ code: "name_confusable" }, { code: "name_confusable" }]);
    expect(argument("amo\u200bunt")).toMatchObject([{ message: expect.stringContaining("cannot be seen") }]);
    expect(argument("\u0441ity")).toMatchObject([{ message: expect.stringContaining("several scripts") }]);
    expect(argument("город", "amount", "größe", "金額", "total_1", "total_2")).toEqual([]);
  });

  it("have one look", () => {
    expect(lookOf("P\u0430yPaI")).toBe(lookOf("paypal"));
    expect(lookOf("ｐａｙ")).toBe("pay");
    expect(lookOf("mail")).not.toBe(lookOf("mall"));
  });
});

it("says where a warning stands, in YAML as people write it", () => {
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: files }
spec:
  rules:
    - id: inside
      match: { tools: [pay] }
      when: input.memo != "" && input.path.startsWith("/workspace")
      effect: allow
`;
  expect(warnings(text).map(formatProblem)).toEqual([
    `p.yaml:8:33: warning: a path compared as text: \`..\` and other spellings lead elsewhere
          when: input.memo != "" && input.path.startsWith("/workspace")
                                    ^
  expected: path.within(input.path, "/workspace")`,
  ]);
});

const root = join(import.meta.dirname, "../../../..");

it.each([
  "services/cli/examples/airline/airline.yaml",
  "services/cli/test/fixtures/library/policy.yaml",
  "services/engine/test/cases/payments.yaml",
  "services/engine/test/cases/browsing.yaml",
  "services/cli/src/demo/documents/payments.yaml",
])("raises no false alarm: %s", (file) => {
  const { documents, problems } = parseDocuments([{ file, text: readFileSync(join(root, file), "utf8") }]);
  const found = [...problems, ...lint(documents, namesOfFiles(documents))];
  expect(found.map(formatProblem)).toEqual([]);
});
