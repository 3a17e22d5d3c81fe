import type { Facts, JsonObject, PolicyDocument, ToolDocument } from "@remit/engine";
import type { SeenCall } from "./seen-call.ts";

/** The engine, which the commands that need it load. */
export type Engine = typeof import("@remit/engine");
export type Compiled = NonNullable<ReturnType<Engine["compile"]>["compiled"]>;

/** What a policy may know of a seen call, with every scope open: the drafted rules alone decide. */
export function factsOf({ tool, agent, principal, input, context }: SeenCall): Facts {
  return {
    ...{ input, context, answers: {} },
    call: { tool, estimate: [], attempt: 1 },
    agent: { ...agent, owner: "" },
    principal: { id: principal || "principal", verified: true, labels: {} },
    session: { id: "session", labels: {}, depth: 0, purpose: "", ageSeconds: 0, calls: 0 },
    caller: { id: "caller", name: "caller" },
    now: "2026-01-01T00:00:00Z",
    scopes: [{ tools: ["*"] }],
    mode: "enforce",
    supportedConstraints: ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"],
  };
}

/** A tool of which nothing is known but its name: its schema and its risk have no part in what a rule says. */
export function bareTool(name: string): ToolDocument {
  return { apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk: "unclassified" } };
}

/** A policy of rules that allow a tool, each under its conditions. */
export function allowing(tool: string, rules: Readonly<Record<string, readonly string[]>>): PolicyDocument {
  return {
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "draft" } },
    spec: {
      mode: "enforce",
      rules: Object.entries(rules).map(([id, when]) => ({
        ...{ id, match: { tools: [tool] }, effect: "allow" as const },
        ...(when.length > 0 && { when }),
      })),
    },
  };
}

/** Policies that are compiled beside tools of which nothing is known. */
export function compiledFor(engine: Engine, tool: string, policy: PolicyDocument): Compiled | undefined {
  return engine.compile({ policies: [{ document: policy, version: 1 }], tools: [bareTool(tool)] }).compiled;
}

/** Each input once: what is said of one is said of its twins. */
export function distinct(calls: readonly SeenCall[]): SeenCall[] {
  const seen = new Map<string, SeenCall>();
  for (const call of calls) {
    const key = JSON.stringify(call.input satisfies JsonObject);
    if (!seen.has(key)) seen.set(key, call);
  }
  return [...seen.values()];
}
