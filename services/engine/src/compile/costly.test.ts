import { expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import { parseDocuments } from "../index.ts";
import { compile } from "./compile.ts";

const list = { type: "array", maxItems: 1000, items: { type: "integer" } };
const tool = toolText("pay", { inputSchema: { type: "object", properties: { list } } });

function warnings(rules: number, agents?: Record<string, string>): readonly string[] {
  const all = Array.from({ length: rules }, (_, at) => ({
    ...{ id: `r${at}`, match: { tools: ["pay"] }, effect: "allow" },
    when: `input.list.all(x, x > ${at})`,
  }));
  const more = agents ? { appliesTo: { agents: { matchLabels: agents } } } : {};
  const { documents } = parseDocuments([{ file: "a.yaml", text: [tool, policyText(all, more)].join("\n---\n") }]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled, problems } = compile({ policies, tools: documents.tools });
  expect(compiled).toBeDefined();
  return problems.map(({ severity, code }) => `${severity} ${code}`);
}

it("warns of rules about one tool that may take more steps together than a decision has", () => {
  expect(warnings(2)).toEqual([]);
  expect(warnings(40)).toEqual(["warning cost_exceeded"]);
});

it("does not take rules together that may be for different agents", () => {
  expect(warnings(40, { team: "a" })).toEqual([]);
});
