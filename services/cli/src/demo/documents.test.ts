import { compile, evaluate, type Facts, type JsonObject } from "@remit/engine";
import { expect, test } from "vitest";
import { readDocumentFiles } from "../document-files.ts";
import { fakeIo } from "../fake-io.ts";
import { checkDocuments } from "../offline.ts";
import { demoDocuments } from "./tenant.ts";

const files = (await readDocumentFiles(fakeIo(), [demoDocuments], "the demo")).documents;
const { documents, problems } = await checkDocuments(files);

function judged(tool: string, input: JsonObject, answers: JsonObject = {}) {
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: documents.tools });
  if (compiled === undefined) throw new Error("the demo's policies do not compile");
  const facts: Facts = {
    input,
    answers,
    context: {},
    call: { tool, estimate: [], attempt: 1 },
    agent: { id: "bookkeeper", labels: { team: "finance" }, owner: "finance" },
    principal: { id: "ada", verified: false, labels: {} },
    session: { id: "s", labels: {}, depth: 0, purpose: "", ageSeconds: 0 },
    caller: { id: "c", name: "demo" },
    now: "2026-11-21T10:00:00Z",
    scopes: documents.agents.filter(({ metadata }) => metadata.name === "bookkeeper").map(({ spec }) => spec.ceiling),
    mode: "enforce",
    supportedConstraints: ["timeout"],
  };
  return evaluate(compiled, facts);
}

test("the demo's documents have no problems", () => {
  expect(problems).toEqual([]);
});

const pay = { to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" };

test.each([
  ["invoices.read", { id: "2041" }, "allow", "read-invoices"],
  ["payments.transfer", pay, "allow", "pay"],
  ["payments.transfer", { ...pay, amount: 500 }, "allow", "pay"],
  ["payments.transfer", { ...pay, amount: 500.01 }, "escalate", "large-needs-a-lead"],
  ["payments.transfer", { to: "X", amount: 1, currency: "EUR" }, "clarify", "say-what-for"],
  ["refunds.pay", { customer: "c-1", amount: 40 }, "allow", "give-back"],
  ["files.write", { path: "/workspace/notes.md", text: "" }, "allow", "write-files"],
  ["files.write", { path: "/workspace/../etc/passwd", text: "" }, "transform", "keep-writes-in-the-workspace"],
  ["customers.delete", { filter: "all" }, "deny", "customers-are-not-deleted"],
])("%s %j is %s by %s", (tool, input, effect, rule) => {
  const verdict = judged(tool, input);
  expect(verdict.effect).toBe(effect);
  expect(verdict.rules.map((ref) => ref.rule)).toContain(rule);
});

test("a write outside the workspace ends up in its sandbox", () => {
  const verdict = judged("files.write", { path: "/home/ada/summary.md", text: "x" });
  expect(verdict.transformedInput).toEqual({ path: "/workspace/sandbox/summary.md", text: "x" });
});

test("saying what a payment is for lets it pass", () => {
  expect(judged("payments.transfer", { to: "X", amount: 1, currency: "EUR" }, { memo: "stamps" }).effect).toBe("allow");
});
