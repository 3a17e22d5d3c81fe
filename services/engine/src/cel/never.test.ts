import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { policyExpressions } from "../compile/condition.ts";
import type { Report } from "../documents/origin.ts";
import { parseDocuments } from "../documents/parse.ts";

/** What a condition is told: `error` or `warning`, and why. */
function toldOf(text: string, variables: Record<string, string> = {}): string[] {
  const told: string[] = [];
  const report: Report = (_, message, { severity = "error", nearest } = {}) => {
    const meant = typeof nearest === "function" ? nearest() : nearest;
    told.push(`${severity}: ${message}${meant === undefined ? "" : ` (${meant}?)`}`);
  };
  policyExpressions(variables, report).condition(text, "");
  return told;
}

describe("a literal that a function never answers", () => {
  it.each([
    ['url.host(input.url) == "API.acme.com"', '`url.host` is never "API.acme.com" ("api.acme.com"?)'],
    ['"evil.io:443" != url.host(input.url)', '`url.host` is never "evil.io:443" ("evil.io"?)'],
    ['url.host(input.url) in ["a.com", "https://b.com/x"]', '`url.host` is never "https://b.com/x" ("b.com"?)'],
    ['url.host(input.url) == "a.com."', '`url.host` is never "a.com." ("a.com"?)'],
    ['url.host(input.url) == "*.a.com"', '`url.host` is never "*.a.com"'],
    ['url.scheme(input.url) == "https://"', '`url.scheme` is never "https://" ("https"?)'],
    ['url.path(input.url) == "admin"', '`url.path` is never "admin" ("/admin"?)'],
    ['url.path(input.url) == "/a?b"', '`url.path` is never "/a?b" ("/a"?)'],
    ['email.domain(input.to) == "@Acme.com"', '`email.domain` is never "@Acme.com" ("acme.com"?)'],
    ['time.weekday(now, "UTC") == 0', "`time.weekday` is never 0"],
    ["now.getDayOfWeek() in [0, 7]", "`getDayOfWeek` is never 7"],
    ['now.getMonth("Europe/Berlin") == 12', "`getMonth` is never 12"],
  ])("%s is a warning", (text, message) => expect(toldOf(text)).toEqual([`warning: ${message}`]));

  it("is one below a variable too", () => {
    expect(toldOf('vars.host == "API.acme.com"', { host: "url.host(input.url)" })).toEqual([
      'warning: `url.host` is never "API.acme.com" ("api.acme.com"?)',
    ]);
  });

  it.each([
    'url.host(input.url) in ["api.acme.com", "[::1]", "10.0.0.1", "xn--80ak6aa92e.com"]',
    'url.scheme(input.url) == "https"',
    'url.path(input.url) == "/v1/a%20b"',
    'email.domain(input.to) == "acme.com"',
    'time.weekday(now, "UTC") in [1, 7]',
    "now.getDayOfWeek() in [0, 6] && now.getMonth() == 11 && now.getDate() == 31 && now.getHours() == 0",
    "url.host(input.url) == input.host",
  ])("%s is told nothing", (text) => expect(toldOf(text)).toEqual([]));
});

describe("a number that its type does not hold", () => {
  it.each([
    ["input.amount > 1e400", "a number that no double holds"],
    ["input.amount < -1e309", "a number that no double holds"],
    ["input.amount > 9223372036854775808", "a number that no int holds"],
    ["input.amount in [0x1ffffffffffffffff]", "a number that no int holds"],
  ])("%s does not compile", (text, message) => expect(toldOf(text)).toEqual([`error: ${message}`]));

  it("the last ones of both compile", () => {
    expect(toldOf("input.a in [9223372036854775807, -9223372036854775808, 1.7e308, 1e-400]")).toEqual([]);
  });
});

describe("a condition that is warned of", () => {
  const tool = {
    apiVersion: "remit/v1",
    kind: "Tool",
    metadata: { name: "web" },
    spec: {
      risk: "write",
      inputSchema: {
        type: "object",
        properties: {
          qty: { type: "integer" },
          url: { type: "string" },
          list: { type: "array", maxItems: 1000, items: { type: "string", maxLength: 50 } },
        },
      },
    },
  };
  const problemsOf = (when: string) => {
    const policy = {
      ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "p" } },
      spec: {
        variables: { host: "url.host(input.url)" },
        rules: [{ id: "a", match: { tools: ["web"] }, when, effect: "deny" }],
      },
    };
    const text = [tool, policy].map((one) => JSON.stringify(one)).join("\n---\n");
    const { documents, problems } = parseDocuments([{ file: "p.yaml", text }]);
    const policies = documents.policies.map((document) => ({ document, version: 1 }));
    const compiled = compile({ policies, tools: documents.tools });
    return [...problems, ...compiled.problems].map(({ severity, code }) => `${severity} ${code}`);
  };

  it("is told so once, by itself and beside its tools", () => {
    expect(problemsOf('vars.host == "Evil.com"')).toEqual(["warning type_contradicted"]);
  });

  it("has its steps counted all the same", () => {
    const costly = "input.list.all(a, input.list.all(b, a != b))";
    expect(problemsOf(costly)).toEqual(["error cost_exceeded"]);
    expect(problemsOf(`input.qty / 2 == 1 && ${costly}`)).toEqual([
      "warning division_truncates",
      "error cost_exceeded",
    ]);
  });
});
