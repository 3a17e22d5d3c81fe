import { describe, expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import { parseDocuments, runPolicyTests } from "../index.ts";

const any = { tools: ["*"] };
const { documents } = parseDocuments([
  {
    file: "p.yaml",
    text: [
      toolText("pay"),
      toolText("mail"),
      policyText([
        { id: "clerks", match: { tools: ["pay"] }, effect: "allow", when: 'agent.labels.team == "finance"' },
        { id: "tainted", match: any, effect: "deny", when: '"untrusted" in session.labels' },
        {
          ...{ id: "large", match: any, effect: "escalate", when: "input.amount > 5", message: "Ask first." },
          ...{ approval: { approvers: ["group:leads"], quorum: 2, expires: "15m" }, constraints: { timeout: "10s" } },
        },
      ]),
    ].join("\n---\n"),
  },
]);

const head = `apiVersion: remit/v1
kind: PolicyTest
metadata: { name: who }
spec:
  fixtures:
    agents:
      clerk: { labels: { team: finance } }
      intern: { labels: { team: none } }
    sessions:
      clean: {}
      tainted: { labels: { untrusted: web } }
    calls:
      small: { tool: pay, input: { amount: 1 } }
      large: { tool: pay, input: { amount: 9 } }
`;
const run = (rest: string) => runPolicyTests([{ file: "t.yaml", text: `${head}${rest}` }], documents);

const matrix = `  matrix:
    - name: payments
      agents: [clerk, intern]
      sessions: [clean, tainted]
      calls: [small, large]
      expect:
        - { sessions: [tainted], effect: deny, rules: [tainted] }
        - { agents: [clerk], sessions: [clean], calls: [small], effect: allow }
        - { sessions: [clean], calls: [large], effect: escalate, approval: [{ rule: large, quorum: 2, expires: 900s }] }
`;

describe("a matrix of cases", () => {
  it("has one case for every combination, named by it", () => {
    const { cases, failed } = run(`${matrix}      otherwise: { effect: deny, code: no_rule_matched }\n`);
    expect(failed).toEqual([]);
    expect(cases).toHaveLength(8);
    expect(cases.map(({ name }) => name).slice(0, 2)).toEqual([
      "payments [agent=clerk, session=clean, call=small]",
      "payments [agent=clerk, session=clean, call=large]",
    ]);
    expect(cases[0]).toMatchObject({ test: "who", line: 22, column: 11 });
  });

  it("wants every combination expected", () => {
    const [failure] = run(matrix).failed;
    expect(failure?.message).toContain("nothing is expected of [agent=intern, session=clean, call=small]");
    expect(failure).toMatchObject({ line: 16, column: 7 });
  });

  it("wants no combination expected twice", () => {
    const twice = `${matrix}        - { agents: [intern], effect: deny }\n      otherwise: { effect: deny }\n`;
    const [failure] = run(twice).failed;
    expect(failure?.message).toContain("agent=intern, session=clean, call=large is expected by row 3 too");
  });

  it.each([
    ["agents: [clrk], expect: [], otherwise: { effect: deny }", "did you mean: clerk"],
    ["agents: [clerk, clerk], expect: [], otherwise: { effect: deny }", "`clerk` stands twice"],
    ["agents: [clerk], expect: [{ agents: [intern], effect: deny }]", "`intern` is not in this matrix"],
    ["agents: [clerk], expect: [{ calls: [small], effect: deny }]", "no `calls` here"],
    ["expect: [], otherwise: { effect: deny }", "a matrix over nothing"],
    ["principals: [mia], expect: [], otherwise: { effect: deny }", "principals in spec.fixtures"],
  ])("says what is wrong with the names of %s", (text, message) => {
    const { failed, cases } = run(`  matrix: [{ name: m, ${text} }]\n`);
    expect(failed[0]?.message).toContain(message);
    expect(cases).toEqual([]);
  });

  it("runs at most 100,000 cases, counted before they are made", () => {
    const names = Array.from({ length: 400 }, (_, at) => `n${at}`);
    const fixtures = names.map((name) => `${name}: {}`).join(", ");
    const text = `apiVersion: remit/v1
kind: PolicyTest
spec:
  fixtures: { agents: { ${fixtures} }, calls: { ${fixtures} } }
  matrix: [{ name: m, agents: [${names.join(", ")}], calls: [${names.join(", ")}], expect: [], otherwise: { effect: deny } }]
`;
    const { cases, failed } = runPolicyTests([{ file: "t.yaml", text }], documents);
    expect(cases).toEqual([]);
    expect(failed[0]?.message).toContain("at most 100000 in all files together");
  });
});

describe("cases with named facts", () => {
  it("take them in given and in each", () => {
    const { passed, failed } = run(`  given: { agent: clerk, call: small }
  cases:
    - { name: small, expect: { effect: allow, unknown: [], constraints: {} } }
    - { name: others, given: { session: clean }, each: [{ session: tainted }, { agent: intern }], expect: { effect: deny } }
`);
    expect(failed).toEqual([]);
    expect(passed).toBe(3);
    expect(
      run("  cases: [{ name: a, given: { agent: clerc }, expect: { effect: deny } }]\n").failed[0]?.message,
    ).toContain("did you mean: clerk");
  });

  it("compare approvals, questions, constraints, unknown rules and what would have been", () => {
    const wrong = (expectation: string) =>
      run(
        `  given: { agent: clerk, call: large }\n  cases: [{ name: a, expect: { effect: escalate, ${expectation} } }]\n`,
      ).failed.flatMap(({ differences }) => differences);
    expect(wrong("approval: [{ approvers: [group:leads], quorum: 2, expires: 15m }]")).toEqual([]);
    expect(wrong("approval: [{ quorum: 1 }]")).toEqual([
      {
        what: "approval",
        expected: '[{"quorum":1}]',
        actual: '[{"approvers":["group:leads"],"expires":"900s","quorum":2,"rule":"p/large"}]',
      },
    ]);
    expect(wrong("questions: [why]")).toEqual([{ what: "questions", expected: '["why"]', actual: "[]" }]);
    expect(wrong("constraints: { timeout: 10s }")).toEqual([
      { what: "constraints", expected: '{"timeout":"10000ms"}', actual: "{}" },
    ]);
    expect(wrong("unknown: [large]")).toEqual([{ what: "unknown", expected: "large", actual: "none" }]);
    expect(wrong("would: none, retryable: true, message: Ask first.")).toEqual([]);
    expect(wrong("would: { effect: deny, rules: [large] }")).toEqual([
      { what: "would", expected: "deny", actual: "none" },
      { what: "would.rules", expected: "large", actual: "none" },
    ]);
  });

  it("are run alone when their name is asked for", () => {
    const cases = "  cases: [{ name: one, expect: { effect: deny } }, { name: two, expect: { effect: allow } }]\n";
    const file = { file: "t.yaml", text: `${head}${cases}` };
    expect(runPolicyTests([file], documents, { filter: "one" })).toMatchObject({ passed: 1, failed: [] });
    expect(runPolicyTests([file], documents, { filter: "who" }).cases).toHaveLength(2);
  });
});

describe("coverage", () => {
  const covered = (cases: string) => {
    const file = { file: "t.yaml", text: `${head}  cases: [${cases}]\n` };
    const { coverage } = runPolicyTests([file], documents, { coverage: true });
    if (!coverage) throw new Error("no coverage");
    return coverage;
  };

  it("tells what no case tried: rules, and what their conditions never were", () => {
    const { percent, rules } = covered("{ name: a, given: { agent: clerk, call: small }, expect: { effect: allow } }");
    expect(percent).toBe(Math.floor((5 / 12) * 1000) / 10);
    expect(rules.map(({ rule, matched, decided }) => [rule, matched, decided])).toEqual([
      ["clerks", 1, 1],
      ["tainted", 0, 0],
      ["large", 0, 0],
    ]);
    expect(rules[0]).toMatchObject({ file: "p.yaml", line: 5, conditions: [{ kind: "when", true: 1, false: 0 }] });
  });

  it("is whole when every rule decided and every condition went both ways", () => {
    const all = `{ name: a, given: { agent: clerk, call: small }, expect: { effect: allow } },
      { name: b, given: { agent: intern, call: large }, expect: { effect: escalate } },
      { name: c, given: { session: tainted, call: { tool: mail } }, expect: { effect: deny } }`;
    const { percent, rules } = covered(all);
    expect(percent).toBe(100);
    expect(rules[2]?.conditions).toEqual([{ kind: "when", text: "input.amount > 5", true: 1, false: 1, unknown: 1 }]);
  });
});
