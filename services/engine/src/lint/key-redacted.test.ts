import { describe, expect, test } from "vitest";
import type { BudgetDocument } from "../documents/budget.ts";
import { parseDocuments } from "../documents/parse.ts";
import { keysRedactedAnew, redactionHides } from "./key-redacted.ts";

const toolText = (name: string, redact?: readonly string[]) => `apiVersion: remit/v1
kind: Tool
metadata: { name: ${name} }
spec:
  risk: write
${redact ? `  redact:\n${redact.map((path) => `    - ${path}\n`).join("")}` : ""}`;

function toolOf(name: string, redact?: readonly string[]) {
  const { documents } = parseDocuments([{ file: `${name}.yaml`, text: toolText(name, redact) }]);
  const [tool] = documents.tools;
  if (!tool) throw new Error("a tool that cannot be read");
  return tool;
}

const budget = (name: string, per?: readonly string[]): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name } },
  spec: {
    ...{ unit: "EUR", limit: "1", window: "day", owner: "tenant", enforcement: "hard" },
    ...(per && { per }),
  },
});

const customers = budget("refunds", ["principal", "input.customer.id"]);

describe("a tool that begins to redact what a budget is kept by", () => {
  test("is told so, at the path that does it", () => {
    const pay = toolOf("pay", ["input.memo", "input.customer"]);
    expect(keysRedactedAnew(pay, toolOf("pay"), [], [customers, budget("wide")])).toMatchObject([
      { code: "budget_key_redacted", severity: "warning", file: "pay.yaml", line: 8, column: 7 },
    ]);
    const [warning] = keysRedactedAnew(pay, undefined, [], [customers]);
    expect(warning?.message).toBe(
      "budget `refunds` keeps accounts by `input.customer.id`, which is redacted from now on: each value has other books, and " +
        "may spend the limit once more in the windows that are open",
    );
  });

  test("is told nothing where the path was redacted before, by itself or by another tool, or no budget reads it", () => {
    const pay = toolOf("pay", ["input.customer.id"]);
    expect(keysRedactedAnew(pay, toolOf("pay", ["input.customer"]), [], [customers])).toEqual([]);
    expect(keysRedactedAnew(pay, undefined, [toolOf("other", ["input.*.id"])], [customers])).toEqual([]);
    expect(keysRedactedAnew(pay, undefined, [], [budget("wide"), budget("by", ["input.order"])])).toEqual([]);
  });
});

test("a tool that is the last to redact it is told so, too", () => {
  const before = toolOf("pay", ["input.customer.id"]);
  const [warning] = keysRedactedAnew(toolOf("pay"), before, [], [customers]);
  expect(warning).toMatchObject({ code: "budget_key_redacted", line: 4 });
  expect(warning?.message).toContain("which is redacted by no tool any more");
  expect(keysRedactedAnew(toolOf("pay"), before, [before], [customers])).toEqual([]);
});

test("a redacted path hides what lies at it, below it and above it", () => {
  const hides = (redacted: string) => redactionHides(redacted, "input.customer.id");
  expect(
    ["input.customer.id", "input.customer", "input.customer.id.country", "input.*.id", "input"].map(hides),
  ).toEqual(Array(5).fill(true));
  expect(["input.customers.id", "input.order", "context.customer.id"].map(hides)).toEqual(Array(3).fill(false));
});
