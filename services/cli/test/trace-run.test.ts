import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixtures, remit, temporaryDirectory } from "./remit.ts";

const library = join(fixtures, "library");
const log = join(library, "calls.jsonl");

test("a log is played under its policies: a table, examples, percentiles, and one result a call", async () => {
  await using directory = await temporaryDirectory();
  const results = join(directory.path, "out.jsonl");
  const args = ["trace-run", log, "--policy", library, "--principal", "context.reader.id", "--results", results];
  const { code, stdout, stderr } = await remit(args);
  expect(code).toBe(0);
  expect(stderr.match(/warning/g)).toHaveLength(1);
  expect(stderr).toContain("unclassified: fines.waive");
  expect(stdout).toContain("8 calls of 2 runs");
  expect(stdout).toContain("3 allowed, 1 transformed, 1 escalated, 3 denied");
  expect(stdout).toContain("calls replayed, not a model run again");
  expect(stdout).toMatch(/p50 .* ms, p90 .* ms, p99 .* ms, max .* ms/);
  const lines = (await readFile(results, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      line: 1,
      run: "a",
      step: 0,
      tool: "loans.list",
      effect: "allow",
      code: "rule_allowed",
      rules: ["library/serve-the-reader"],
    },
    {
      line: 2,
      run: "a",
      step: 1,
      tool: "loans.renew",
      effect: "allow",
      code: "rule_allowed",
      rules: ["library/serve-the-reader"],
    },
    {
      line: 3,
      run: "b",
      step: 0,
      tool: "loans.list",
      effect: "allow",
      code: "rule_allowed",
      rules: ["library/serve-the-reader"],
    },
    {
      line: 5,
      run: "a",
      step: 2,
      tool: "loans.renew",
      effect: "deny",
      code: "rule_denied",
      rules: ["library/one-reader-a-session"],
    },
    {
      line: 6,
      run: "b",
      step: 1,
      tool: "loans.renew",
      effect: "transform",
      code: "rule_transformed",
      rules: ["library/four-weeks-at-most"],
    },
    {
      line: 7,
      run: "b",
      step: 2,
      tool: "loans.renew",
      effect: "escalate",
      code: "approval_required",
      rules: ["library/long-loans-of-maps-wait"],
    },
    { line: 8, run: "a", step: 3, tool: "fines.waive", effect: "deny", code: "no_rule_matched", rules: [] },
    { line: 9, run: "b", step: 3, tool: "loans.renew", effect: "deny", code: "input_invalid", rules: [] },
  ]);
});

test("without --principal no session is anybody's, so the rule about the reader stops every call", async () => {
  const { code, stdout } = await remit(["trace-run", log, "--policy", library, "--json"]);
  expect(code).toBe(0);
  const summary = JSON.parse(stdout);
  expect(summary.total.allow).toBe(0);
  expect(summary.by_rule["library/one-reader-a-session"].deny).toBe(6);
});
