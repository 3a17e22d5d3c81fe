import { benchAgentName, benchTool, paymentsDocuments } from "../../src/remit/payments.ts";
import type { SeedDocuments } from "../../src/remit/seed.ts";

const header = { apiVersion: "remit/v1" };

const budget = (name: string, owner: unknown, limit: string) => ({
  ...header,
  kind: "Budget",
  metadata: { name, owner: "bench" },
  spec: { unit: "EUR", limit, window: "day", timeZone: "Europe/Berlin", owner },
});

/** The budgets that cover every measured call; all callers share each of them. */
export const levels = ["tenant", "team", "agent", "tool"] as const;

/**
 * The calls of the usual measurement, of a tool that costs one euro, in four budgets. `limit` is that of the tenant's; the
 * others are wider.
 */
export function budgetedDocuments(limit: string): SeedDocuments {
  const [tool] = paymentsDocuments.tools as readonly [{ spec: object }];
  const wide = "1000000000";
  return {
    ...paymentsDocuments,
    tools: [{ ...tool, spec: { ...tool.spec, cost: [{ unit: "EUR", value: "1" }] } }],
    budgets: [
      budget("tenant", "tenant", limit),
      budget("team", { team: "finance" }, wide),
      budget("agent", { agent: benchAgentName }, wide),
      budget("tool", { tool: benchTool }, wide),
    ],
  };
}
