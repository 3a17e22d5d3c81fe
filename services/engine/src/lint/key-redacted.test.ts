import { describe, expect, test } from "vitest";
import { finish } from "../compile/steps.ts";
import type { BudgetDocument } from "../documents/budget.ts";
import { parseDocuments } from "../documents/parse.ts";
import { keysRedactedNoMore } from "./key-redacted.ts";
import { redactedPaths } from "./redacted-paths.ts";

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

const many = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at));

const budget = (name: string, per?: readonly string[]): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name } },
  spec: {
    ...{ unit: "EUR", limit: "1", window: "day", owner: "tenant", enforcement: "hard" },
    ...(per && { per }),
  },
});

const customers = budget("refunds", ["principal", "input.customer.id"]);

const told = (...asked: Parameters<typeof keysRedactedNoMore>) => finish(keysRedactedNoMore(...asked));

describe("a tool that ends to redact what a budget is kept by", () => {
  const before = toolOf("pay", ["input.memo", "input.customer"]);

  test("is told so", () => {
    expect(told(toolOf("pay"), before, [], [customers, budget("wide")])).toMatchObject([
      { code: "budget_key_redacted", severity: "warning", file: "pay.yaml", line: 4 },
    ]);
    const [warning] = told(toolOf("pay", ["input.memo"]), before, [], [customers]);
    expect(warning?.message).toBe(
      "budget `refunds` keeps accounts by `input.customer.id`, which is redacted by no tool any more: each value has other " +
        "books, and may spend the limit once more in the windows that are open",
    );
  });

  test("is told nothing where the path is still redacted, by itself or by another tool, or no budget reads it", () => {
    expect(told(toolOf("pay", ["input.customer.id"]), before, [], [customers])).toEqual([]);
    expect(told(toolOf("pay"), before, [toolOf("other", ["input.*.id"])], [customers])).toEqual([]);
    expect(told(toolOf("pay"), before, [], [budget("wide"), budget("by", ["input.order"])])).toEqual([]);
  });
});

test("a tool that begins to is told nothing: the books that are open go on", () => {
  const pay = toolOf("pay", ["input.customer.id"]);
  expect(told(pay, toolOf("pay"), [], [customers])).toEqual([]);
  expect(told(pay, undefined, [], [customers])).toEqual([]);
});

test("a redacted path hides what lies at it, below it and above it", () => {
  const hides = (redacted: string) => redactedPaths([redacted]).hide("input.customer.id");
  expect(
    ["input.customer.id", "input.customer", "input.customer.id.country", "input.*.id", "input"].map(hides),
  ).toEqual(Array(5).fill(true));
  expect(["input.customers.id", "input.order", "context.customer.id"].map(hides)).toEqual(Array(3).fill(false));
});

test("very many budgets and tools are looked at in steps, and each pair of paths by none", () => {
  const before = toolOf(
    "pay",
    many(100, (at) => `input.a.b.c.p${at}`),
  );
  const others = many(2_000, (at) => toolOf(`t${at}`));
  const budgets = many(2_000, (at) =>
    budget(
      `b${at}`,
      many(8, (n) => `input.a.b.c.k${at}x${n}`),
    ),
  );
  const steps = keysRedactedNoMore(toolOf("pay"), before, others, budgets);
  let [count, cost] = [0, 0];
  for (let step = steps.next(); !step.done; step = steps.next()) {
    count++;
    cost += step.value;
    expect(step.value).toBeLessThan(10);
  }
  expect(count).toBe(4_000);
  expect(cost).toBeLessThan(10_000);
});
