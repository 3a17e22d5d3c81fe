import { describe, expect, it } from "vitest";
import { policyText, sampleFacts, toolText } from "../../test/sample.ts";
import {
  compile,
  type Documents,
  diffDocuments,
  diffOutcomes,
  type Facts,
  type JsonObject,
  parseDocuments,
} from "../index.ts";

const any = { tools: ["pay"] };
const allow = { id: "small", match: any, when: ["input.amount <= 5", "input.to == 'a'"], effect: "allow" };
const deny = { id: "never", match: any, when: "input.amount > 100", effect: "deny" };
const ask = {
  ...{ id: "large", match: any, when: "input.amount > 5", effect: "escalate" },
  approval: { approvers: ["group:a", "group:b"], quorum: 2, expires: "1h" },
};

function documentsOf(rules: JsonObject[], spec: JsonObject = {}, tool: JsonObject = {}): Documents {
  return parseDocuments([{ file: "p.yaml", text: `${toolText("pay", tool)}\n---\n${policyText(rules, spec)}` }])
    .documents;
}

const base = documentsOf([allow, deny, ask]);

describe("the difference between documents", () => {
  it("is none where rules have moved or lists are in another order", () => {
    const moved = [ask, deny, { ...allow, when: [...allow.when].reverse() }];
    expect(diffDocuments(base, documentsOf(moved))).toEqual([]);
  });

  it("tells each field of a rule that has changed, with both texts", () => {
    const changed = documentsOf([
      { ...allow, when: "input.amount <= 50" },
      deny,
      { ...ask, approval: { ...ask.approval, quorum: 1 }, message: "Ask." },
    ]);
    expect(diffDocuments(base, changed)).toEqual([
      {
        ...{ kind: "Policy", name: "p", change: "changed", fields: [] },
        rules: [
          {
            ...{ rule: "small", change: "changed" },
            fields: [{ field: "when", from: ["input.amount <= 5", "input.to == 'a'"], to: ["input.amount <= 50"] }],
          },
          {
            ...{ rule: "large", change: "changed" },
            fields: [
              { field: "approval.quorum", from: 2, to: 1 },
              { field: "message", to: "Ask." },
            ],
          },
        ],
      },
    ]);
  });

  it("tells rules that are added or removed, and what has changed of the policy itself", () => {
    const spec = { mode: "observe", variables: { x: "1" }, appliesTo: { agents: { matchLabels: { team: "a" } } } };
    const [policy] = diffDocuments(base, documentsOf([allow, ask, { id: "new", match: any, effect: "deny" }], spec));
    expect(policy?.rules.map(({ rule, change }) => [rule, change])).toEqual([
      ["new", "added"],
      ["never", "removed"],
    ]);
    expect(policy?.fields).toEqual([
      { field: "spec.appliesTo.agents.matchLabels.team", to: "a" },
      { field: "spec.mode", from: "enforce", to: "observe" },
      { field: "spec.variables.x", to: "1" },
    ]);
  });

  it("tells documents of every kind that are added, removed or changed", () => {
    const agent = { apiVersion: "remit/v1", kind: "Agent", metadata: { name: "bot" }, spec: {} };
    const { documents } = parseDocuments([{ file: "a.yaml", text: JSON.stringify(agent) }]);
    const other = documentsOf([allow, deny, ask], {}, { risk: "read" });
    expect(diffDocuments(base, { ...other, agents: documents.agents })).toMatchObject([
      { kind: "Tool", name: "pay", change: "changed", fields: [{ field: "spec.risk", from: "write", to: "read" }] },
      { kind: "Agent", name: "bot", change: "added" },
    ]);
    expect(diffDocuments(base, { ...base, policies: [] })).toMatchObject([{ kind: "Policy", change: "removed" }]);
  });
});

describe("the difference between outcomes", () => {
  const compiled = ({ policies, tools }: Documents) => {
    const { compiled: done } = compile({ policies: policies.map((document) => ({ document, version: 1 })), tools });
    if (!done) throw new Error("it does not compile");
    return done;
  };
  const call = (input: JsonObject, facts: Partial<Facts> = {}) => {
    const before = { ...sampleFacts({ input }), ...facts };
    return { name: JSON.stringify(input), before, after: before };
  };
  const calls = [call({ amount: 1, to: "a" }), call({ amount: 40, to: "a" }), call({ amount: 500, to: "a" }), call({})];

  it("is none between the same documents, however they are versioned or ordered", () => {
    const same = diffOutcomes(compiled(base), compiled(documentsOf([ask, deny, allow])), calls);
    expect(same).toEqual({ compared: 4, wider: 0, narrower: 0, otherwise: 0, changes: [] });
  });

  it("tells calls of which more may run, less, or as much in another way", () => {
    const next = documentsOf([
      { ...allow, when: "input.amount <= 50", effect: "allow" },
      { ...ask, when: "input.amount > 50" },
      { id: "ones", match: any, when: "input.amount == 1.0", effect: "deny" },
    ]);
    const diff = diffOutcomes(compiled(base), compiled(next), calls);
    expect(diff).toMatchObject({ compared: 4, wider: 2, narrower: 1, otherwise: 1 });
    expect(diff.changes.map(({ name, direction, from, to }) => [name, direction, from.effect, to.effect])).toEqual([
      ['{"amount":1,"to":"a"}', "narrower", "allow", "deny"],
      ['{"amount":40,"to":"a"}', "wider", "escalate", "allow"],
      ['{"amount":500,"to":"a"}', "wider", "deny", "escalate"],
      ["{}", "otherwise", "deny", "deny"],
    ]);
    expect(diff.changes[0]).toMatchObject({
      from: { rules: ["p/small"] },
      to: { rules: ["p/ones"], code: "rule_denied" },
    });
  });

  it("tells approvals and constraints that are otherwise where the effect is the same", () => {
    const fewer = documentsOf([allow, deny, { ...ask, approval: { ...ask.approval, quorum: 1 } }]);
    const { changes } = diffOutcomes(compiled(base), compiled(fewer), calls);
    expect(changes).toMatchObject([{ direction: "otherwise", also: ["approval"] }]);
  });

  it("judges as if everything were enforced, and each side by its own facts", () => {
    const observed = call({ amount: 500, to: "a" }, { mode: "observe" });
    const none = { ...observed, after: { ...observed.after, scopes: [] } };
    expect(diffOutcomes(compiled(base), compiled(base), [observed]).changes).toEqual([]);
    expect(diffOutcomes(compiled(base), compiled(base), [none]).changes).toMatchObject([
      { direction: "otherwise", from: { code: "rule_denied" }, to: { code: "scope_exceeded" } },
    ]);
  });
});
