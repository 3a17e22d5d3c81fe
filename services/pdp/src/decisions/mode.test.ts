import type { AgentDocument, Mode, ToolDocument } from "@remit/engine";
import { expect, test } from "vitest";
import { modeOf } from "./mode.ts";

const apiVersion = "remit/v1";
type Said = Mode | undefined;

const agentThat = (mode: Said): AgentDocument => ({
  ...{ apiVersion, kind: "Agent", metadata: { name: "clerk" } },
  spec: { ceiling: { tools: ["*"] }, status: "active", ...(mode && { mode }) },
});

const toolsWith = (mode: Said) => {
  const spec = { risk: "write", ...(mode && { mode }) } as const;
  const document: ToolDocument = { apiVersion, kind: "Tool", metadata: { name: "pay" }, spec };
  return { tools: new Map([["pay", { document, digest: "" }]]) };
};

test.each<[Said, Said, Mode]>([
  [undefined, undefined, "enforce"],
  ["observe", undefined, "observe"],
  [undefined, "observe", "observe"],
  ["observe", "observe", "observe"],
  ["enforce", "observe", "enforce"],
  ["observe", "enforce", "enforce"],
])("an agent that says %s and a tool that says %s: %s", (agent, tool, mode) => {
  expect(modeOf(toolsWith(tool), agentThat(agent), "pay")).toBe(mode);
});

test("a tool that nobody registered says nothing, and an agent that is not there neither", () => {
  expect(modeOf(toolsWith("enforce"), agentThat("observe"), "elsewhere")).toBe("observe");
  expect(modeOf(toolsWith("observe"), undefined, "pay")).toBe("observe");
  expect(modeOf(toolsWith("observe"), undefined, "elsewhere")).toBe("enforce");
});
