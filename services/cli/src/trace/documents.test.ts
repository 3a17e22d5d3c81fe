import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { chooseAgent, traceAgent, unclassifiedTool } from "./documents.ts";

const agents = (...names: string[]) => {
  const text = names
    .map(
      (name) => `apiVersion: remit/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec: { ceiling: { tools: ['*'] } }`,
    )
    .join("\n---\n");
  return parseDocuments([{ file: "agents.yaml", text }]).documents;
};

test("the documents that a log needs and nobody wrote are documents like any other", () => {
  const { documents, problems } = parseDocuments([unclassifiedTool("mcp://bank/pay"), traceAgent()]);
  expect(problems).toEqual([]);
  expect(documents.tools).toMatchObject([{ metadata: { name: "mcp://bank/pay" }, spec: { risk: "unclassified" } }]);
  expect(documents.agents).toMatchObject([{ metadata: { name: "trace" }, spec: { ceiling: { tools: ["*"] } } }]);
});

test("the calls are made by the only agent of the documents, else by `trace`", () => {
  expect(chooseAgent(agents("clerk"), undefined)).toBe("clerk");
  expect(chooseAgent(agents("clerk", "trace"), undefined)).toBe("trace");
  expect(chooseAgent(parseDocuments([]).documents, undefined)).toBe("trace");
  expect(chooseAgent(agents("clerk", "guide"), "guide")).toBe("guide");
});

test("several agents, or one that is not there, must be settled", () => {
  expect(() => chooseAgent(agents("clerk", "guide"), undefined)).toThrow("several agents: clerk, guide");
  expect(() => chooseAgent(agents("clerk"), "nobody")).toThrow("no document brings the agent nobody");
});
