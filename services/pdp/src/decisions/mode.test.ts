import type { AgentDocument, Mode, ToolDocument } from "@remit/engine";
import { expect, test } from "vitest";
import type { Snapshot, TenantSettings } from "../policies/index.ts";
import { modeOf } from "./mode.ts";

const apiVersion = "remit/v1";
type Said = Mode | undefined;

const agentThat = (mode: Said, labels: Record<string, string> = {}): AgentDocument => ({
  ...{ apiVersion, kind: "Agent", metadata: { name: "clerk" } },
  spec: { ceiling: { tools: ["*"] }, status: "active", labels, ...(mode && { mode }) },
});

function snapshot(tool: Said, tenant: Mode, observeAgents: TenantSettings["observeAgents"] = []) {
  const spec = { risk: "write", ...(tool && { mode: tool }) } as const;
  const document: ToolDocument = { apiVersion, kind: "Tool", metadata: { name: "pay" }, spec };
  const settings: TenantSettings = { status: "active", mode: tenant, observeAgents, quotas: {}, unbudgeted: "allow" };
  const tools: Snapshot["tools"] = new Map([["pay", { document, digest: "" }]]);
  return { tools, settings };
}

test.each<[Said, Said, Mode, Mode]>([
  [undefined, undefined, "enforce", "enforce"],
  ["observe", undefined, "enforce", "observe"],
  [undefined, "observe", "enforce", "observe"],
  ["observe", "observe", "enforce", "observe"],
  ["enforce", "observe", "enforce", "enforce"],
  ["observe", "enforce", "enforce", "enforce"],
  [undefined, undefined, "observe", "observe"],
  ["enforce", undefined, "observe", "enforce"],
  [undefined, "enforce", "observe", "enforce"],
  ["observe", "enforce", "observe", "enforce"],
])("an agent that says %s and a tool that says %s in a tenant of mode %s: %s", (agent, tool, tenant, mode) => {
  expect(modeOf(snapshot(tool, tenant), agentThat(agent), "pay")).toBe(mode);
});

test("a tool that nobody registered says nothing, and an agent that is not there neither", () => {
  expect(modeOf(snapshot("enforce", "enforce"), agentThat("observe"), "elsewhere")).toBe("observe");
  expect(modeOf(snapshot("observe", "enforce"), undefined, "pay")).toBe("observe");
  expect(modeOf(snapshot("observe", "enforce"), undefined, "elsewhere")).toBe("enforce");
  expect(modeOf(snapshot("enforce", "observe"), undefined, "elsewhere")).toBe("observe");
});

test("a selector of the tenant observes the agents that carry all of its labels, unless something says enforce", () => {
  const selectors = [{ team: "lab", stage: "trial" }, { team: "support" }];
  const mode = (labels: Record<string, string>, agent: Said = undefined, tool: Said = undefined) =>
    modeOf(snapshot(tool, "enforce", selectors), agentThat(agent, labels), "pay");
  expect(mode({ team: "support", stage: "live" })).toBe("observe");
  expect(mode({ team: "lab", stage: "trial" })).toBe("observe");
  expect(mode({ team: "lab" })).toBe("enforce");
  expect(mode({})).toBe("enforce");
  expect(mode({ team: "support" }, "enforce")).toBe("enforce");
  expect(mode({ team: "support" }, undefined, "enforce")).toBe("enforce");
  // A name that every object has is not a label.
  expect(modeOf(snapshot(undefined, "enforce", [{ constructor: "x" }]), agentThat(undefined), "pay")).toBe("enforce");
});
