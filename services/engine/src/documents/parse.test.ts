import { describe, expect, it } from "vitest";
import { policyText, problemsOf, toolText } from "../../test/sample.ts";
import { compile, formatProblem, parseDocuments } from "../index.ts";

const policy = (rules: string, spec = "") => `apiVersion: remit/v1
kind: Policy
metadata: { name: payments }
spec:
${spec}  rules:
${rules}`;
const tool = toolText("pay", {
  inputSchema: {
    type: "object",
    properties: {
      amount: { type: "number" },
      to: { type: "object", properties: { country: {} }, additionalProperties: false },
    },
    additionalProperties: false,
  },
});
const first = (text: string) => parseDocuments([{ file: "a.yaml", text }]).problems[0];
const messages = (text: string) => parseDocuments([{ file: "a.yaml", text }]).problems.map(({ message }) => message);

describe("documents", () => {
  it("are read from YAML and from JSON, several a file, as plain values that read the same again", () => {
    const text = `${policy("    - { id: a, match: { tools: [pay] }, effect: allow, when: input.amount < 5 }")}\n---\n${tool}\n---\n`;
    const agent = "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: clerk, owner: ada }\n";
    const { documents, problems } = parseDocuments([
      { file: "a.yaml", text },
      { file: "b.yaml", text: agent },
    ]);
    expect(problems).toEqual([]);
    expect(documents.policies[0]).toEqual({
      apiVersion: "remit/v1",
      kind: "Policy",
      metadata: { name: "payments" },
      spec: {
        mode: "enforce",
        rules: [{ id: "a", match: { tools: ["pay"] }, effect: "allow", when: ["input.amount < 5"] }],
      },
    });
    expect(documents.agents[0]?.spec).toEqual({ ceiling: { tools: ["*"] }, status: "active" });
    const all = [...documents.policies, ...documents.tools, ...documents.agents].map((document) =>
      JSON.stringify(document),
    );
    const again = parseDocuments([{ file: "c.json", text: all.join("\n---\n") }]);
    expect(again.problems).toEqual([]);
    expect(again.documents).toEqual(documents);
  });

  it("of other kinds are refused", () => {
    expect(first("kind: Polcy")).toMatchObject({ message: "unknown kind `Polcy`", nearest: "Policy" });
    expect(first("kind: PolicyTest")?.message).toContain("_test.yaml");
    expect(messages("a: 1")).toEqual(["`kind` is missing"]);
    expect(messages("kind: [Policy]")).toEqual(["`kind` is not text"]);
  });

  it("with an error are left out, the others kept", () => {
    const { documents, problems } = parseDocuments([
      { file: "a.yaml", text: `${toolText("a", { rsk: 1 })}\n---\n${toolText("b")}` },
    ]);
    expect(documents.tools.map(({ metadata }) => metadata.name)).toEqual(["b"]);
    expect(problems).toHaveLength(1);
  });

  it("may not share a name with another of their kind", () => {
    expect(messages(`${toolText("a")}\n---\n${toolText("a")}`)).toEqual(["the tool `a` is declared twice"]);
    const text = policyText([{ id: "r", match: { tools: ["*"] }, effect: "allow" }], {}, "a");
    expect(messages(`${toolText("a")}\n---\n${text}`)).toEqual([]);
  });
});

describe("a problem", () => {
  it("shows its place, an excerpt with a caret, what was expected and the nearest name", () => {
    const text = policy("    - id: a\n      match: { tools: [pay] }\n      efect: allow");
    expect(first(text) && formatProblem(first(text) as NonNullable<ReturnType<typeof first>>)).toBe(
      [
        "a.yaml:8:7: error: unknown key `efect`",
        "          efect: allow",
        "          ^",
        "  expected: id, description, match, when, unless, effect, constraints, approval, set, questions, message, remedy",
        "  did you mean: effect",
      ].join("\n"),
    );
  });

  it.each([
    ["plain", "      when: true && inptu.a", 8, 21],
    ["quoted", "      when: 'true && inptu.a'", 8, 22],
    ["in a list", "      when: [true, inptu.a]", 8, 20],
    ["in a block", "      when: |\n        true &&\n          inptu.a", 10, 11],
    ["in a folded block", "      when: >-\n        true\n\n          && inptu.a", 11, 14],
    ["over several lines", "      when: true\n        && inptu.a", 9, 12],
    ["over several quoted lines", "      when: 'true\n        && inptu.a'", 9, 12],
  ])("in a condition points at the very name: %s", (_, when, line, column) => {
    const text = policy(
      `    - id: a\n      match: { tools: [pay] }\n${when.replace("[true,", '["true",')}\n      effect: allow`,
    );
    const shift = when.includes("[true") ? 2 : 0;
    expect(first(text)).toMatchObject({
      line,
      column: column + shift,
      nearest: "input",
      message: "unknown name `inptu`",
    });
  });

  it("of every file is told at once, and conditions are checked in rules that have other problems", () => {
    const text = policy("    - id: a b\n      match: {}\n      effect: alow\n      when: inptu.a\n      colour: red");
    const { problems } = parseDocuments([
      { file: "a.yaml", text },
      { file: "b.yaml", text: toolText("x", { risk: "wirte" }) },
    ]);
    expect(problems.map(({ file, message }) => `${file} ${message}`).sort()).toEqual([
      "a.yaml `a b` is not valid here",
      "a.yaml a match that names nothing",
      "a.yaml unknown key `colour`",
      "a.yaml unknown name `inptu`",
      "a.yaml unknown value `alow`",
      "b.yaml unknown value `wirte`",
    ]);
  });

  it("in a stored document has no place but says where it is", () => {
    const { documents } = parseDocuments([
      { file: "a.yaml", text: policy("    - { id: a, match: { tools: [pay] }, effect: allow, when: 'true' }") },
    ]);
    const stored = JSON.parse(JSON.stringify(documents.policies[0]).replace('"true"', '"inptu.a"'));
    const { compiled, problems } = compile({ policies: [{ document: stored, version: 1 }], tools: [] });
    expect(compiled).toBeUndefined();
    expect(problems[0]).toMatchObject({ file: "policy payments", line: 0, column: 0 });
    expect(problems.map(({ message }) => message)).toEqual([
      "/spec/rules/0/when/0: unknown name `inptu`",
      "/spec/rules/0/match/tools/0: no tool `pay` is registered",
    ]);
  });
});

describe("a rule", () => {
  const rule = (more: object) => policyText([{ id: "a", match: { tools: ["*"] }, effect: "allow", ...more } as never]);

  it.each([
    [{ effect: "escalate" }, "the effect escalate needs `approval`"],
    [{ effect: "transform" }, "the effect transform needs `set`"],
    [{ effect: "clarify" }, "the effect clarify needs `questions`"],
    [{ set: { a: 1 } }, "`set` belongs to the effect transform alone"],
    [{ effect: "deny", constraints: { timeout: "1s" } }, "`constraints` mean nothing with the effect deny"],
    [{ constraints: { timeuot: "1s" } }, "unknown key `timeuot`"],
    [{ constraints: { timeout: "10 seconds" } }, "`10 seconds` is not valid here"],
    [{ constraints: { timeout: 10 } }, "`10` is not valid here"],
    [{ constraints: { maxOutputBytes: 1.5 } }, "`1.5` is not valid here"],
    [{ match: { tools: ["pay", "pay ments"] } }, "`pay ments` is not valid here"],
    [{ match: { tools: ["p\u0430y"] } }, "`p\u0430y` is not valid here"],
    [{ match: { tools: [] } }, "a list of 0 items"],
    [{ match: { risk: ["high"] } }, "unknown value `high`"],
    [{ when: [] }, "a list of 0 items"],
    [{ when: "" }, "the text is empty"],
    [{ when: true }, "`true` is not valid here"],
    [{ when: "x".repeat(5000) }, "text of 5000 characters"],
    [
      { effect: "escalate", approval: { approvers: ["ada"], quorum: 2 } },
      "a quorum of 2 that 1 approvers can never reach",
    ],
    [{ effect: "escalate", approval: { approvers: ["ada"], expires: "0s" } }, "`0s` is not valid here"],
    [{ effect: "transform", set: {} }, "`set` names nothing to set"],
    [{ effect: "transform", set: { "a..b": 1 } }, "`a..b` is not valid here"],
    [{ effect: "transform", set: { a: { expr: "1", more: 2 } } }, "an expression beside other keys"],
    [{ effect: "transform", set: { a: { expr: "inptu.a" } } }, "unknown name `inptu`"],
    [{ effect: "clarify", questions: [{ id: "a", type: "text", ask: "?" }] }, "unknown value `text`"],
    [
      {
        effect: "clarify",
        questions: [
          { id: "a", type: "string", ask: "?" },
          { id: "a", type: "number", ask: "?" },
        ],
      },
      "the question `a` stands twice",
    ],
  ])("%j is refused", (more, message) => expect(messages(rule(more))).toContain(message));

  it("may not share its id with another of its policy", () => {
    const one = { id: "a", match: { tools: ["*"] }, effect: "allow" };
    expect(messages(policyText([one, one]))).toEqual(["the rule `a` stands twice in this policy"]);
  });
});

describe("names that are checked against the registered tools", () => {
  const check = (rule: object) =>
    problemsOf(`${tool}\n---\n${policyText([{ id: "a", effect: "allow", ...rule } as never])}`);

  it("warn of a tool that nobody registered, an error when strict", () => {
    const text = `${tool}\n---\n${policyText([{ id: "a", match: { tools: ["pya"] }, effect: "allow" }])}`;
    expect(problemsOf(text)[0]).toContain("warning: no tool `pya` is registered");
    expect(problemsOf(text)[0]).toContain("did you mean: pay");
    expect(problemsOf(text, { strict: true })[0]).toContain("error: no tool `pya` is registered");
    expect(check({ match: { tools: ["pya*"] } })).toEqual([]);
  });

  it.each([
    [{ when: "input.amuont > 5" }, "the input of pay has no `input.amuont`", "input.amount"],
    [{ when: "has(input.to.contry)" }, "the input of pay has no `input.to.contry`", "country"],
    [{ unless: "present(input.memo)" }, "the input of pay has no `input.memo`", ""],
    [{ when: "input.amount.value > 5" }, "the input of pay has no `input.amount.value`", ""],
    [{ effect: "transform", set: { dryRun: true } }, "the input of pay has no `input.dryRun`", ""],
    [
      { effect: "transform", set: { amount: { expr: "input.amuont" } } },
      "the input of pay has no `input.amuont`",
      "amount",
    ],
  ])("refuse %j", (rule, message, nearest) => {
    const [problem] = check({ match: { tools: ["pay"] }, ...rule });
    expect(problem).toContain(message);
    expect(problem).toContain(nearest);
  });

  it("are not looked for where there are more variables than there may be", () => {
    const variables = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`v${at}`, `vars.v${at + 1}`]));
    const text = JSON.stringify({
      ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "p" } },
      spec: { variables, rules: [{ id: "a", match: { tools: ["pay"] }, effect: "allow" }] },
    });
    const { problems } = parseDocuments([{ file: "a.json", text }]);
    expect(problems.map(({ message }) => message)).toEqual(["a map of 5000 keys"]);
  });

  it("see through variables", () => {
    const text = `${tool}\n---\n${policyText(
      [{ id: "a", match: { tools: ["pay"] }, effect: "allow", when: "vars.large" }],
      {
        variables: { large: "vars.sum > 5", sum: "input.amuont" },
      },
    )}`;
    expect(problemsOf(text)[0]).toContain("the input of pay has no `input.amuont`");
  });

  it("warn of an answer that no rule asks for", () => {
    const [problem] = check({
      match: { tools: ["pay"] },
      effect: "clarify",
      unless: "present(answers.meno)",
      questions: [{ id: "memo", type: "string", ask: "Why?" }],
    });
    expect(problem).toContain("warning: no rule of this policy asks `meno`");
    expect(problem).toContain("did you mean: memo");
  });

  it("only warn of a path that another tool may bring, and refuse what looks misspelt", () => {
    const [unheard] = check({ match: { tools: ["pay*"] }, when: "input.anything > 5" });
    expect(unheard).toContain("warning: the input of pay has no `input.anything`");
    const [misspelt] = check({ match: { tools: ["pay*"] }, when: "input.amuont > 5" });
    expect(misspelt).toContain("error: the input of pay has no `input.amuont`");
    expect(check({ match: { tools: ["x*"] }, when: "input.amuont > 5" })).toEqual([]);
  });

  it("leave paths alone that a matched tool may have", () => {
    expect(check({ match: { tools: ["pay"] }, when: "input.amount > 5 && context.anything" })).toEqual([]);
  });
});

describe("hostile files", () => {
  it.each([
    ["flow nesting", `a: ${"[".repeat(100_000)}`, "nested too deeply"],
    ["block nesting", "- ".repeat(5_000), "nested too deeply"],
    ["anchors", "a: &a [x]\nb: *a", "anchors and aliases are not supported"],
    ["an alias bomb", `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]`, "anchors and aliases are not supported"],
    ["core tags", "kind: !!str Policy", "tags are not supported"],
    ["directives", "%YAML 1.1\n---\nkind: yes", "YAML directives are not supported"],
    ["keys twice", "kind: Tool\nkind: Policy", "the key `kind` stands twice in one map"],
    ["keys that are no text", "1: a", "a key that is not text"],
    ["numbers too large", "a: 9007199254740993", "the number 9007199254740993 is out of range"],
    ["numbers that are none", "a: .nan", "the number .nan is out of range"],
    [
      "broken YAML",
      "a: [1",
      "not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["a NUL in text", 'a: "\\0"', "text with a NUL or half a character in it"],
    ["half a character", 'a: "\\ud800"', "text with a NUL or half a character in it"],
    ["a large document", `a: ${"x".repeat(2 ** 20)}`, "a document of 1048579 characters"],
    ["a large file", "#".repeat(2 ** 23 + 1), "a file of 8388609 characters"],
    ["names that objects inherit", "kind: constructor", "unknown kind `constructor`"],
  ])("with %s are refused", (_, text, message) => expect(messages(text)).toContain(message));

  it("are not read to the end after hundreds of problems", () => {
    const problems = messages("--- {a: *a}\n".repeat(5_000));
    expect(problems.length).toBeLessThan(500);
    expect(problems.at(-1)).toContain("the rest of the file is not read");
  });

  it("take `__proto__` for the unknown key it is", () => {
    expect(
      messages(
        `{"apiVersion": "remit/v1", "kind": "Tool", "metadata": {"name": "a"}, "spec": {"risk": "read"}, "__proto__": {"x": 1}}`,
      ),
    ).toEqual(["unknown key `__proto__`"]);
  });
});

describe("agents and tools", () => {
  const agent = (spec: object, metadata: object = {}) =>
    messages(JSON.stringify({ apiVersion: "remit/v1", kind: "Agent", metadata: { name: "clerk", ...metadata }, spec }));

  it("carry their labels in one place", () => {
    expect(agent({ labels: { team: "finance" } })).toEqual([]);
    expect(agent({}, { labels: { team: "finance" } })).toEqual(["unknown key `labels`"]);
  });

  it.each([
    [{ ceiling: { tools: ["*"], bounds: [{ tool: "*", path: "input.a" }] } }, "a bound without a limit"],
    [{ ceiling: { tools: ["*"], bounds: [{ tool: "*", path: "input.a", max: 1, min: 0 }] } }, "a bound with 2 limits"],
    [{ ceiling: { tools: ["*"], bounds: [{ tool: "*", path: "amount", max: 1 }] } }, "`amount` is not valid here"],
    [{ ceiling: { tools: ["*"], maxDepth: 9 } }, "`9` is not valid here"],
    [{ ceiling: { tools: ["*"], expiresAt: "tomorrow" } }, "`tomorrow` is not valid here"],
    [{ ceiling: {} }, "`tools` is missing"],
    [{ status: "retired" }, "unknown value `retired`"],
  ])("an agent of %j is refused", (spec, message) => expect(agent(spec)).toContain(message));

  it.each([
    [{ inputSchema: { type: "objet" } }, /not a valid JSON Schema/],
    [{ inputSchema: { type: "object", propertees: {} } }, /unknown keyword: "propertees"/],
    [{ inputSchema: { properties: { a: { pattern: "(?=x)" } } } }, /a pattern that is not supported/],
    [{ inputSchema: { $ref: "https://example.com/schema" } }, /does not lead to a schema/],
    [{ timeout: "soon" }, /`soon` is not valid here/],
    [{ server: "a b" }, /`a b` is not valid here/],
  ])("a tool of %j is refused", (spec, message) => {
    expect(messages(toolText("a", spec as never)).join("\n")).toMatch(message);
  });
});
