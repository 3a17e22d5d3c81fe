import { describe, expect, it } from "vitest";
import { parseDocuments } from "./parse.ts";

const head = "apiVersion: remit/v1\nkind: Budget\nmetadata: { name: refunds }\nspec:\n";

function read(...lines: string[]) {
  const text = head + lines.map((line) => `  ${line}\n`).join("");
  const { documents, problems } = parseDocuments([{ file: "budget.yaml", text }]);
  return { budget: documents.budgets[0]?.spec, problems };
}

const least = ["unit: EUR", 'limit: "500.00"', "window: day"];

describe("a budget", () => {
  it("is the tenant's and hard unless it says otherwise", () => {
    expect(read(...least)).toEqual({
      budget: { unit: "EUR", limit: "500.00", window: "day", owner: "tenant", enforcement: "hard" },
      problems: [],
    });
  });

  it("says whose it is, in which time zone its windows begin, and what it is kept apart by", () => {
    const { budget, problems } = read(
      ...["unit: calls", 'limit: "3"', "window: week", "timeZone: Europe/Berlin", "owner: { tool: payments.* }"],
      ...["enforcement: soft", "per: [principal, input.customer_id]"],
    );
    expect(problems).toEqual([]);
    expect(budget).toMatchObject({ owner: { tool: "payments.*" }, per: ["principal", "input.customer_id"] });
    for (const owner of ["session", "{ team: finance }", "{ agent: clerk }", "{ principal: ada@acme.com }"])
      expect(read(...least, `owner: ${owner}`).problems).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["limit: 500", "value_invalid", 'a decimal written as text, such as "500.00"'],
    ['limit: "-1"', "value_invalid", "0 or more"],
    ['limit: "NaN"', "value_invalid", "0 or more"],
    ['limit: "1e3"', "value_invalid", "0 or more"],
    ['limit: "0.0000001"', "value_invalid", "at most 6 digits"],
    ['limit: "9999999999999"', "value_invalid", "0 or more"],
    ["window: dya", "value_invalid", "session, hour, day"],
    ["timeZone: Europe/Berln", "value_invalid", "UTC or a zone"],
    ["timeZone: +02:00", "value_invalid", "the name of a time zone"],
    ["owner: team", "value_invalid", "tenant, session"],
    ["owner: { team: a, agent: b }", "combination_invalid", "exactly one of team, agent, principal, tool"],
    ["owner: {}", "combination_invalid", "exactly one of"],
    ["per: [customer]", "value_invalid", "a path into the input"],
    ["per: [agent, agent]", "given_twice", ""],
    ["period: day", "key_unknown", "unit, limit, window"],
  ])("with %s is refused", (line, code, expected) => {
    const key = line.split(":")[0];
    const { budget, problems } = read(...least.filter((one) => one.split(":")[0] !== key), line);
    expect(budget).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, severity: "error" });
    expect(problems[0]?.expected ?? "").toContain(expected);
  });

  it("has a time zone only where a calendar counts, and counts calls whole", () => {
    const session = read("unit: EUR", 'limit: "5"', "window: session", "timeZone: UTC");
    expect(session.problems).toMatchObject([{ code: "combination_invalid", line: 8 }]);
    expect(read("unit: calls", 'limit: "2.5"', "window: day").problems).toMatchObject([{ code: "value_invalid" }]);
    expect(read("unit: calls", 'limit: "2.0"', "window: day").problems).toEqual([]);
  });

  it("is compared with what was spent before where that was an agent's, as its author says or as usual", () => {
    const hourly = ["unit: EUR", 'limit: "500"', "window: hour"];
    const usual = { deviations: 6, windowsMin: 7 };
    expect(read(...hourly, "owner: { agent: clerk }", "anomaly: {}").budget).toMatchObject({ anomaly: usual });
    for (const owner of ["tenant", "{ team: finance }", "{ tool: payments.* }", "{ principal: ada@acme.com }"]) {
      const { budget, problems } = read(...hourly, `owner: ${owner}`, "per: [agent]", "anomaly: { deviations: 3 }");
      expect(problems).toEqual([]);
      expect(budget?.anomaly).toEqual({ ...usual, deviations: 3 });
    }
    const own = { deviations: 1, windowsMin: 32, floor: "12.5" };
    expect(read(...hourly, "per: [agent]", `anomaly: ${JSON.stringify(own)}`).budget?.anomaly).toEqual(own);
  });

  it.each<[string, string, string, string]>([
    ["no agent", "owner: tenant", "an owner that names an agent, without `per`", "combination_invalid"],
    ["an agent and more", "per: [agent, input.customer]", "or `per: [agent]`", "combination_invalid"],
    [
      "an agent whose accounts are not one",
      "owner: { agent: clerk }\n  per: [principal]",
      "per",
      "combination_invalid",
    ],
    ["an agent's sessions", "per: [agent]\n  window: session", "the window hour, day", "combination_invalid"],
    ["an agent's whole life", "per: [agent]\n  window: lifetime", "the window hour, day", "combination_invalid"],
    ["what refuses nothing", "per: [agent]\n  enforcement: soft", "the enforcement hard", "combination_invalid"],
    ["half a deviation", "per: [agent]\n  anomaly: { deviations: 1.5 }", "a whole number", "value_invalid"],
    ["too few windows", "per: [agent]\n  anomaly: { windowsMin: 2 }", "from 3 to 32", "value_invalid"],
    ["a floor that is no decimal", "per: [agent]\n  anomaly: { floor: 5 }", "a decimal", "value_invalid"],
    ["half a call", "per: [agent]\n  unit: calls\n  anomaly: { floor: '0.5' }", "a whole number", "value_invalid"],
    ["something else", "per: [agent]\n  anomaly: { windows: 2 }", "deviations, windowsMin", "key_unknown"],
  ])("is not compared by %s", (_what, lines, expected, code) => {
    const wanted = ["unit: EUR", 'limit: "500"', "window: hour", "anomaly: {}"];
    const others = wanted.filter((line) => !lines.includes(line.replace(/:.*/, ":")));
    const { budget, problems } = read(...others, ...lines.split("\n  "));
    expect(budget).toBeUndefined();
    expect(problems).toMatchObject([{ code, severity: "error" }]);
    expect(problems[0]?.expected).toContain(expected);
  });

  it("is named so that a condition can name it", () => {
    const text = head.replace("refunds", "refunds-a-day") + least.map((line) => `  ${line}\n`).join("");
    expect(parseDocuments([{ file: "b.yaml", text }]).problems).toMatchObject([{ code: "value_invalid", line: 3 }]);
  });
});

describe("a group", () => {
  const group = (members: string) =>
    parseDocuments([
      {
        file: "g.yaml",
        text: `apiVersion: remit/v1\nkind: Group\nmetadata: { name: leads }\nspec: { members: ${members} }\n`,
      },
    ]);

  it("has members, each once, and none that cannot be seen", () => {
    expect(group("[ada, mia@acme.com]").documents.groups[0]?.spec).toEqual({ members: ["ada", "mia@acme.com"] });
    expect(group("[ada, ada]").problems).toMatchObject([{ code: "given_twice" }]);
    expect(group('["ad\\u200ba"]').problems).toMatchObject([{ code: "value_invalid" }]);
    expect(group('[" ada"]').problems).toMatchObject([{ code: "value_invalid" }]);
    expect(group("[]").problems).toMatchObject([{ code: "value_invalid" }]);
  });
});
