import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { House } from "../../services/pdp/test/support/pdp.ts";
import { startDemoHouse } from "./support/demo-house.ts";

let house: House;

beforeAll(async () => {
  house = await startDemoHouse();
});

afterAll(() => house?.close());

async function run(example: string): Promise<string[]> {
  const file = fileURLToPath(new URL(`../examples/${example}.ts`, import.meta.url));
  const env = { ...process.env, REMIT_ADDRESS: house.pdp.grpcAddress, REMIT_API_KEY: house.ownerKey };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env });
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

test("quickstart pays what may be paid and is denied what may not", async () => {
  expect(await run("quickstart")).toEqual([
    "paid 40 EUR",
    "denied (rule_denied): Agents do not delete customer records. Ask a person in operations.",
    expect.stringMatching(/^remit why [0-9a-f-]{36}$/),
  ]);
});

test("guard writes where it may, and reports by hand", async () => {
  expect(await run("guard")).toEqual([
    "transform: asked for /etc/passwd, may write /workspace/sandbox/passwd",
    "wrote 5 characters to /workspace/sandbox/passwd",
    'read invoice {"id":"2041"}',
    "reported: succeeded, the input matches",
  ]);
});

test("delegate hands a part of the work on, and no more than there is", async () => {
  expect(await run("delegate")).toEqual([
    "paid 40 EUR",
    "denied (scope_exceeded): The call exceeds what this session may do: input.amount exceeds its bound max.",
    "refused (scope_exceeded): tools[0] (records.delete) exceeds what may be handed over: payments.*, invoices.read: " +
      "ask for no more than the delegating session has, which GetSession shows",
  ]);
});

test("paused puts a call away and asks it again", async () => {
  expect(await run("paused")).toEqual([
    "paused (escalate): Payments above 500 wait for a finance lead.",
    "still paused: the same decision, asked again",
  ]);
});

test("spending holds what a call may cost, counts what it did, and is denied what does not fit", async () => {
  expect(await run("spending")).toEqual([
    "gave c-1 60 EUR back",
    "denied (budget_exhausted): 41 EUR do not fit",
    "gave c-2 39 EUR back",
  ]);
});
