import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { evaluate, explain, type Facts, type JsonObject, type JsonValue } from "../../src/index.ts";
import { sampleFacts } from "../sample.ts";
import { compileBeside, exampleBundle, exampleDocument } from "./examples.ts";

const fixture = (name: string) => readFileSync(new URL(`rego/${name}.tar.gz`, import.meta.url)).toString("base64");
const hostile = fixture("hostile");

function document(spec: JsonObject, name = "p"): { file: string; text: string } {
  const whole = { language: "rego", match: { tools: ["*"] }, ...spec };
  return {
    file: `${name}.yaml`,
    text: JSON.stringify({ apiVersion: "remit/v1", kind: "Policy", metadata: { name }, spec: whole }),
  };
}

function compiledOf(...documents: readonly { file: string; text: string }[]) {
  const tool = { apiVersion: "remit/v1", kind: "Tool", metadata: { name: "pay" }, spec: { risk: "write" } };
  const { compiled, problems } = compileBeside({ file: "pay.yaml", text: JSON.stringify(tool) }, ...documents);
  if (!compiled || problems.length > 0) throw new Error(problems.join("\n"));
  return compiled;
}

const entry = (name: string, more: JsonObject = {}) =>
  compiledOf(document({ bundle: hostile, entrypoint: `hostile/${name}`, ...more }));
const questions = [{ id: "memo", type: "string", ask: "Why?" }];
const echo = entry("echo", { questions });
const answer = (said: JsonValue, more: Partial<Facts> = {}) =>
  evaluate(echo, sampleFacts({ input: { answer: said }, ...more }));
const outcome = ({ effect, code, rules }: ReturnType<typeof evaluate>) =>
  [effect, code, ...rules.map(({ rule }) => rule)].join(" ");

describe("an answer of Rego", () => {
  it.each([
    [{ rule: "r", effect: "allow" }, "allow rule_allowed r"],
    [
      [
        { rule: "r", effect: "allow" },
        { rule: "s", effect: "allow", constraints: { timeout: "5s" } },
      ],
      "allow rule_allowed r s",
    ],
    [
      [
        { rule: "r", effect: "allow" },
        { rule: "s", effect: "deny" },
      ],
      "deny rule_denied s",
    ],
    [{ rule: "r", effect: "escalate", approval: { approvers: ["ada"] } }, "escalate approval_required r"],
    [{ rule: "r", effect: "clarify", questions }, "clarify facts_missing r"],
    [{ rule: "r", effect: "transform", set: { "a.b": [1, null] } }, "transform rule_transformed r"],
    [[], "deny no_rule_matched"],
  ] as [JsonValue, string][])("%j is %s", (said, expected) => {
    expect(outcome(answer(said))).toBe(expected);
  });

  it.each([
    [{ rule: "r", effect: "alow" }, "/effect unknown value `alow`"],
    [{ rule: "r" }, "/ `effect` is missing"],
    [{ effect: "allow" }, "/rule null is not valid here"],
    [{ rule: "r", effect: "allow", when: "true" }, 'the unknown key "when"'],
    [{ rule: "r", effect: "allow", match: { tools: ["a"] } }, 'the unknown key "match"'],
    [{ rule: "r", effect: "allow", mesage: "x" }, 'the unknown key "mesage"'],
    [{ rule: "r", effect: "allow", message: 5 }, "/message `5` is not valid here"],
    [{ rule: "r", effect: "escalate" }, "the effect escalate needs `approval`"],
    [{ rule: "r", effect: "escalate", approval: { approvers: [] } }, "/approval/approvers a list of 0 items"],
    [
      { rule: "r", effect: "allow", approval: { approvers: ["ada"] } },
      "/approval `approval` belongs to the effect escalate alone",
    ],
    [{ rule: "r", effect: "allow", constraints: { timeout: "soon" } }, "/constraints/timeout"],
    [{ rule: "r", effect: "transform", set: { a: { expr: "1" } } }, "/set an expression"],
    [
      { rule: "r", effect: "clarify", questions: [{ id: "other", type: "string", ask: "?" }] },
      "the question other (string)",
    ],
    [
      [
        { rule: "r", effect: "allow" },
        { rule: "r", effect: "deny" },
      ],
      "the rule r stands twice",
    ],
    [[{ rule: "r", effect: "allow" }, 5], "not an object"],
    [Array.from({ length: 65 }, (_, n) => ({ rule: `r${n}`, effect: "allow" })), "65 objects"],
    [true, "not an object"],
    [null, "not an object"],
    ["allow", "not an object"],
  ] as [JsonValue, string][])("%j is malformed, which denies", (said, why) => {
    const verdict = answer(said);
    expect(outcome(verdict)).toBe("deny evaluation_error rego");
    expect(verdict.unknowns).toHaveLength(1);
    expect(verdict.detail).toContain(why.replace(/^\/ /, ""));
  });

  it("that is undefined denies", () => {
    const verdict = evaluate(echo, sampleFacts());
    expect(outcome(verdict)).toBe("deny evaluation_error rego");
    expect(verdict.detail).toBe("p/rego is unknown: hostile/echo is undefined");
  });

  it("is judged on the transformed input, and counts where other policies decide too", () => {
    const native = {
      file: "n.yaml",
      text: JSON.stringify({
        apiVersion: "remit/v1",
        kind: "Policy",
        metadata: { name: "n" },
        spec: {
          rules: [
            { id: "force", match: { tools: ["*"] }, effect: "transform", set: { "answer.effect": "allow" } },
            { id: "stop", match: { tools: ["*"] }, when: "present(input.stop)", effect: "deny" },
          ],
        },
      }),
    };
    const both = compiledOf(document({ bundle: hostile, entrypoint: "hostile/echo" }), native);
    const said = { rule: "r", effect: "deny" };
    expect(outcome(evaluate(both, sampleFacts({ input: { answer: said } })))).toBe("transform rule_transformed force");
    expect(outcome(evaluate(both, sampleFacts({ input: { answer: said, stop: 1 } })))).toBe("deny rule_denied stop");
  });

  it("of an observed policy decides nothing", () => {
    const allows = document({ bundle: hostile, entrypoint: "hostile/echo" }, "q");
    const watched = document({ bundle: hostile, entrypoint: "hostile/loop", mode: "observe" });
    const list = Array.from({ length: 300 }, (_, index) => `${index}`);
    const input = { answer: { rule: "r", effect: "allow" }, list };
    const verdict = evaluate(compiledOf(allows, watched), sampleFacts({ input }));
    expect(outcome(verdict)).toBe("allow rule_allowed r");
    expect(verdict.would).toMatchObject({ effect: "deny", code: "evaluation_error" });
  });

  it("is granted and answered by the name of its rule", () => {
    const escalates = { rule: "r", effect: "escalate", approval: { approvers: ["ada"] } };
    const granted = [{ policy: "p", version: 1, rule: "r" }];
    expect(outcome(answer(escalates, { granted }))).toBe("allow approval_granted r");
    expect(outcome(answer({ ...escalates, rule: "s" }, { granted }))).toBe("escalate approval_required s");
  });

  it("is what `explain` shows", () => {
    const { considered } = explain(echo, sampleFacts({ input: { answer: { rule: "r", effect: "allow" } } }));
    expect(considered).toMatchObject([
      {
        rule: { policy: "p", version: 1, rule: "r" },
        effect: "allow",
        mode: "enforce",
        result: "true",
        why: 'when is true: hostile/echo answered {"rule":"r","effect":"allow"}',
      },
    ]);
    const none = explain(echo, sampleFacts({ input: { answer: [] } })).considered;
    expect(none.map(({ result, why }) => [result, why])).toEqual([
      ["false", "when is false: an answer of the rego policy"],
    ]);
  });
});

describe("a policy in Rego that does too much", () => {
  const list = Array.from({ length: 300 }, (_, index) => `${index}`);

  it.each([
    ["loop", "the evaluation passed its cost limit"],
    ["hoard", "the evaluation passed its cost limit"],
    ["flood", "the evaluation passed its cost limit"],
    ["echo", "hostile/echo: its answer is larger than 8192 bytes"],
    ["conflict", "hostile/conflict: "],
    ["verb", "hostile/verb: sprintf knows %s, %d, %v, %f and %.2f, not %q"],
  ])("%s is cut off, alike each time, and denies", (name, why) => {
    const compiled = entry(name);
    const answer = { rule: "r", effect: "deny", message: name === "echo" ? "x".repeat(8_200) : "x" };
    const facts = sampleFacts({ input: { list, amount: 5, text: "0123456789".repeat(20), answer } });
    const [first, second] = [evaluate(compiled, facts), evaluate(compiled, facts)];
    expect(outcome(first)).toBe("deny evaluation_error rego");
    expect(first.detail).toContain(why);
    expect(second).toEqual(first);
  });

  it("answers the next call as if nothing had been", () => {
    const compiled = entry("loop");
    expect(outcome(evaluate(compiled, sampleFacts({ input: { list } })))).toBe("deny evaluation_error rego");
    expect(outcome(evaluate(compiled, sampleFacts({ input: { list: ["a"] } })))).toBe("deny no_rule_matched");
  });

  it("leaves the other policies of the call no steps either", () => {
    const native = {
      file: "n.yaml",
      text: JSON.stringify({
        apiVersion: "remit/v1",
        kind: "Policy",
        metadata: { name: "n" },
        spec: { rules: [{ id: "yes", match: { tools: ["*"] }, when: "input.list.size() > 0", effect: "allow" }] },
      }),
    };
    const both = compiledOf(document({ bundle: hostile, entrypoint: "hostile/loop" }), native);
    const verdict = evaluate(both, sampleFacts({ input: { list } }));
    expect(verdict.unknowns.map(({ rule }) => rule.rule)).toEqual(["rego", "yes"]);
  });

  it("pays for the memory that is put back before it is asked, and its data lie in that", () => {
    const data = { ballast: "x".repeat(60_000) };
    const heavy = Array.from({ length: 40 }, (_, index) =>
      document({ bundle: hostile, entrypoint: "hostile/echo", data }, `heavy-${index}`),
    );
    const verdict = evaluate(compiledOf(...heavy), sampleFacts({ input: { answer: { rule: "r", effect: "allow" } } }));
    expect(outcome(verdict)).toContain("deny evaluation_error");
    expect(new Set(verdict.unknowns.map(({ why }) => why))).toEqual(new Set(["the evaluation passed its cost limit"]));
    expect(verdict.unknowns.length).toBeLessThan(40);
  });

  it("pays for what it leaves behind where it throws, so that many cannot throw in one call", () => {
    const throwing = Array.from({ length: 8 }, (_, index) =>
      document({ bundle: hostile, entrypoint: "hostile/verb" }, `verb-${index}`),
    );
    const compiled = compiledOf(...throwing);
    const facts = sampleFacts({ input: { amount: 5 } });
    const verdict = evaluate(compiled, facts);
    const passed = verdict.unknowns.map(({ why }) => why.includes("cost limit"));
    expect(passed).toEqual([...passed].sort());
    expect([passed.at(0), passed.at(-1)]).toEqual([false, true]);
    expect(evaluate(compiled, facts)).toEqual(verdict);
  });

  it("matches patterns in linear time", () => {
    const text = `${"a".repeat(2000)}!`;
    expect(outcome(evaluate(entry("pattern"), sampleFacts({ input: { text } })))).toBe("allow rule_allowed pattern");
  });
});

describe("the facts of Rego", () => {
  it("are those of native conditions, the time included", () => {
    expect(evaluate(entry("host"), sampleFacts()).message).toBe("clerk paid 5 of 7.13 at 1772445600000000000");
    const facts = JSON.parse(evaluate(entry("facts"), sampleFacts()).message);
    expect(facts).toMatchObject({
      agent: { id: "clerk", labels: { team: "finance" }, owner: "ada" },
      answers: {},
      call: { attempt: 1, tool: "pay" },
      caller: { id: "sdk", name: "sdk" },
      context: {},
      now: "2026-03-02T10:00:00Z",
      principal: { id: "mia", labels: {}, verified: true },
      session: { age: "90s", ageSeconds: 90, calls: 3, depth: 0, id: "s1", labels: {}, purpose: "" },
      tool: { labels: {}, name: "pay", risk: "write" },
    });
  });
});

describe("a bundle", () => {
  const refused = (spec: JsonObject) => compileBeside(document(spec)).problems;
  const example = { bundle: exampleBundle().toString("base64"), entrypoint: "payments/decisions" };

  it("that reaches out is refused by the name of the builtin", () => {
    expect(refused({ bundle: fixture("reaching"), entrypoint: "reaching/decisions" }).join()).toContain(
      "error: the bundle uses the builtin http.send",
    );
  });

  it.each([
    ["not base64!", "the bundle is not base64"],
    ["aGVsbG8=", "the bundle is not gzip"],
    [gzipSync(Buffer.alloc(1024)).toString("base64"), "the bundle has no policy.wasm"],
  ])("of %s is refused", (bundle, why) => {
    expect(refused({ ...example, bundle }).join()).toContain(why);
  });

  it("needs an entrypoint of its own", () => {
    const [problem] = refused({ ...example, entrypoint: "payments/decision" });
    expect(problem).toContain("the bundle has no entrypoint `payments/decision`");
    expect(problem).toContain("did you mean: payments/decisions");
  });

  it("stands in the document: a file is for the command line to read", () => {
    const { bundle: _, ...rest } = example;
    const problems = refused({ ...rest, bundleFile: "./payments.tar.gz" });
    expect(problems.join("\n")).toContain("`bundleFile` is read by `remit apply` and `remit policy`");
  });

  it("has no rules beside it, and no keys of other languages", () => {
    const rules = [{ id: "a", match: { tools: ["*"] }, effect: "allow" }];
    expect(refused({ ...example, rules }).join("\n")).toContain("a list of 1 items");
    expect(refused({ ...example, variables: {} }).join("\n")).toContain("unknown key `variables`");
    expect(compileBeside(exampleDocument("rego", { language: "regu" })).problems.join("\n")).toContain(
      "did you mean: rego",
    );
  });

  it("that is damaged is refused, whatever the damage", () => {
    const whole = exampleBundle();
    for (let at = 60; at < whole.length; at += Math.ceil(whole.length / 40)) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      expect(refused({ ...example, bundle: damaged.toString("base64") })).not.toEqual([]);
    }
  });
});
