import { expect, test } from "vitest";
import { parseDocuments } from "./parse.ts";

const toolWith = (limits: string) => `apiVersion: remit/v1
kind: Tool
metadata: { name: pay }
spec: { risk: write, limits: ${limits} }
`;
const policyWith = (limits: string) => `apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { limits: ${limits}, rules: [{ id: all, match: { tools: [pay] }, effect: allow }] }
`;
const read = (text: string) => parseDocuments([{ file: "limits.yaml", text }]);

test("limits are whole numbers from 1 to 1000, each by itself, of a tool and of a policy", () => {
  const limits = { identical: 1, failures: 1000, denials: 2, perSecond: 50, perMinute: 600 };
  const { documents, problems } = read(`${toolWith(JSON.stringify(limits))}---\n${policyWith("{ failures: 3 }")}`);
  expect(problems).toEqual([]);
  expect(documents.tools[0]?.spec.limits).toEqual(limits);
  expect(documents.policies[0]?.spec.limits).toEqual({ failures: 3 });
  expect(read(toolWith("{}")).problems).toEqual([]);
});

test.each([
  ["{ failures: 0 }", "value_invalid"],
  ["{ failures: 1001 }", "value_invalid"],
  ["{ failures: 1.5 }", "value_invalid"],
  ["{ failures: -1 }", "value_invalid"],
  ['{ failures: "3" }', "value_invalid"],
  ["{ failures: null }", "value_invalid"],
  ["{ perHour: 3 }", "key_unknown"],
  ["[3]", "value_invalid"],
])("limits that say %s are refused in their place", (limits, code) => {
  for (const text of [toolWith(limits), policyWith(limits)]) {
    expect(read(text).problems, text).toMatchObject([{ severity: "error", code, file: "limits.yaml", line: 4 }]);
  }
});
