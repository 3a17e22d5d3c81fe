import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/demo/main.ts", import.meta.url));

test("the demo tells its story to the end, every decision with its rule and its place in the ledger", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  const scenes = [...stdout.matchAll(/answer +([A-Z]+): .*, by the rule (\S+)/g)].map(([, effect, rule]) => [
    effect,
    rule,
  ]);
  expect(scenes).toEqual([
    ["ALLOW", "records/read-invoices"],
    ["CLARIFY", "payments/say-what-for"],
    ["ALLOW", "payments/pay"],
    ["DENY", "records/customers-are-not-deleted"],
    ["TRANSFORM", "records/keep-writes-in-the-workspace"],
    ["ESCALATE", "payments/large-needs-a-lead"],
  ]);
  expect(stdout.match(/recorded +epoch \d+, n \d+/g)?.length).toBeGreaterThanOrEqual(scenes.length);
  expect(stdout).toContain('ran with  {"path":"/workspace/sandbox/summary.md","text":"Paid."}');
  expect(stdout).not.toContain("all customers deleted");
  const payments = [...stdout.matchAll(/pays (\d+) EUR +(ALLOW|DENY, \w+):/g)].map(([, amount, what]) => [
    amount,
    what,
  ]);
  expect(payments).toEqual([
    ["40", "ALLOW"],
    ["60", "DENY, scope_exceeded"],
    ["40", "DENY, session_revoked"],
  ]);
  const refunds = [...stdout.matchAll(/refunds 40 EUR +(\d+ of \d+) EUR left +(ALLOW|DENY, \w+): /g)];
  expect(refunds.map(([, left, what]) => [what, left])).toEqual([
    ["ALLOW", "60 of 100"],
    ["ALLOW", "20 of 100"],
    ["DENY, budget_exhausted", "20 of 100"],
    ["ALLOW", "80 of 200"],
  ]);
  expect(stdout).toMatch(/read 10 times, then {2}DENY, loop_detected: /);
  // What README.md shows of the story is what it says.
  const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
  const told = stdout
    .split("\n")
    .filter((line) => /refunds 40 EUR|read 10 times|given back|gives money back/.test(line));
  expect(told.length).toBeGreaterThan(5);
  for (const line of told) expect(readme).toContain(line);
  expect(stdout).toContain("remit why");
  expect(stdout).toContain("Try next");
  expect(stdout).not.toContain("\x1b[");
});
