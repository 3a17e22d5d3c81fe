import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { type Announced, type Running, serve, temporaryDirectory } from "./remit.ts";

/*
 * Budgets from an operator's command line. Transcripts that docs/budgets.md shows are compared with it at the end.
 */

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let session = "";
const transcripts: string[] = [];

async function remit(...args: string[]) {
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  const env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
  const io = fakeIo({ env: { ...env, ...(session !== "" && { REMIT_SESSION: session }) } });
  const code = await run(io, args);
  return { code, out: io.outLines.join("\n"), err: io.errLines.join("\n") };
}

const documents = `apiVersion: remit/v1
kind: Budget
metadata: { name: refunds }
spec: { unit: EUR, limit: "100", window: lifetime }
---
apiVersion: remit/v1
kind: Budget
metadata: { name: calls_of_a_customer }
spec: { unit: calls, limit: "3", window: day, timeZone: Europe/Berlin, per: [input.customer] }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: payments.refund }
spec:
  risk: write
  cost: [{ unit: EUR, expression: 'amount(string(input.amount), "EUR")' }]
  inputSchema:
    type: object
    properties: { amount: { type: integer }, customer: { type: string, maxLength: 32 } }
---
apiVersion: remit/v1
kind: Agent
metadata: { name: desk }
spec: { ceiling: { tools: ["*"] } }
---
apiVersion: remit/v1
kind: Policy
metadata: { name: refunds }
spec: { rules: [{ id: refund, match: { tools: [payments.refund] }, effect: allow }] }
`;

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

/** A command whose output the guide shows; what differs from run to run stands there as it does here. */
async function shown(...args: string[]) {
  const done = await remit(...args);
  const quoted = args.map((arg) => (/[ ()]/.test(arg) ? `"${arg}"` : arg)).join(" ");
  const lines = [`$ remit ${quoted}`, ...done.out.split("\n")].map((line) =>
    line
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g, "019a4f3e-…")
      .replaceAll(/\d{4}-\d\d-\d\dT[0-9:.]+Z/g, "2026-11-21T10:00:00.000Z")
      .replaceAll(/^revision {2}\d+$/g, "revision  7")
      .trimEnd(),
  );
  transcripts.push(lines.join("\n"));
  return done;
}

test("before anything is declared, the commands say what to do", async () => {
  expect(await remit("budgets", "list")).toMatchObject({ code: 0, err: expect.stringContaining("kind Budget") });
  expect(await remit("holds", "list")).toMatchObject({ code: 0, err: "nothing is held" });
  expect(await remit("budgets", "verify")).toMatchObject({ code: 0, out: expect.stringContaining("ok: 0 accounts") });
});

test("budgets are declared, spent and shown; a call that does not fit is refused, and fits once the limit is raised", async () => {
  const file = join(directory.path, "documents.yaml");
  await writeFile(file, documents);
  const applied = await remit("apply", "-f", file);
  expect(applied).toMatchObject({ code: 0, err: "" });
  expect(applied.out).toMatch(/budget +refunds +added/);
  session = JSON.parse((await remit("session", "open", "desk", "--principal", "ada", "--json")).out).token;
  const refund = (customer: string, amount: number) =>
    remit("decide", "payments.refund", "--input", JSON.stringify({ customer, amount }), "--json");
  const first = await refund("c-17", 60);
  expect(first.code).toBe(0);
  const decisionId = JSON.parse(first.out).decisionId;
  await shown("holds", "list");
  await remit("report", decisionId, "--outcome", "succeeded", "--actual", "EUR=55");
  expect((await refund("c-17", 30)).code).toBe(0);
  const refused = await refund("c-18", 30);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.out).reason.code).toBe("budget_exhausted");
  const list = await remit("budgets", "list");
  expect(list.out).toMatch(/refunds +100 EUR +55 +30 +15 +\[#{17}-{3}\] +85%/);
  const one = await shown("budgets", "show", "refunds");
  expect(one.out).toContain("free      15 EUR");
  const raised = await shown("budgets", "raise", "refunds", "--to", "200 EUR", "--reason", "the sale");
  expect(raised.out).toContain("raised refunds from 100 to 200 EUR\nfree now  115 EUR");
  expect((await refund("c-18", 30)).code).toBe(0);
  const why = await remit("why", decisionId);
  expect(why.out).toContain("holds      1 calls of calls_of_a_customer");
  expect(why.out).toContain("holds      60 EUR of refunds");
  expect(why.out).toMatch(/succeeded, cost 55 EUR, counted .*55 EUR of refunds/);
  // What is applied again sets its own limit again, and says so.
  expect((await remit("apply", "-f", file, "--dry-run")).out).toMatch(/budget +refunds +would be changed/);
});

test("accounts of a keyed budget are listed by key and by how full they are, with when they reset in their zone", async () => {
  const all = await shown("budgets", "accounts", "calls_of_a_customer");
  expect(all.out).toMatch(/input.customer=c-17 +3 calls +1 +1 +1 .* 66% +\d{4}-\d\d-\d\d 00:00 Europe\/Berlin/);
  const some = await remit("budgets", "accounts", "calls_of_a_customer", "--key", "c-18", "--json");
  expect(JSON.parse(some.out).accounts).toMatchObject([{ held: "1", limitUsedBasisPoints: 3333 }]);
  const none = await remit("budgets", "accounts", "calls_of_a_customer", "--used", "80");
  expect(none).toMatchObject({ code: 0, out: "", err: expect.stringContaining("no account") });
  expect((await remit("budgets", "list")).out).toContain("2, this is the fullest");
  expect((await remit("budgets", "accounts", "refunds", "--used", "much")).code).toBe(2);
});

test("a limit below what is spent says what is over and until when, a freeze refuses, and both are taken back", async () => {
  const lowered = await shown("budgets", "lower", "refunds", "--to", "50", "--reason", "INC-7");
  expect(lowered.out).toContain("1 account is over the new limit; new calls are refused since");
  expect(lowered.out).toContain("over by 65 EUR");
  expect((await remit("budgets", "list")).out).toContain("over by 65, refuses");
  const frozen = await shown("budgets", "freeze", "refunds", "--reason", "INC-7");
  expect(frozen.out).toContain("froze refunds");
  expect((await remit("budgets", "freeze", "refunds", "--reason", "again")).out).toContain("was frozen before");
  const denied = await remit("decide", "payments.refund", "--input", '{"customer":"c-20","amount":1}', "--json");
  expect(JSON.parse(denied.out).reason.code).toBe("budget_frozen");
  expect((await remit("budgets", "unfreeze", "refunds", "--reason", "mended")).out).toContain("unfroze refunds");
  expect((await remit("budgets", "raise", "refunds", "--to", "40", "--reason", "x")).code).not.toBe(0);
  expect((await remit("budgets", "raise", "--to", "40", "--reason", "x")).code).toBe(2);
  expect((await remit("budgets", "raise", "refunds", "--to", "300", "--reason", "x")).code).toBe(0);
  const { accounts } = JSON.parse((await remit("budgets", "accounts", "refunds", "--json")).out);
  const one = ["--account", accounts[0].accountId, "--reason", "ticket 4711"];
  expect((await remit("budgets", "lower", ...one, "--to", "200")).code).toBe(0);
  await remit("budgets", "freeze", ...one);
  const stays = `account ${accounts[0].accountId} is frozen`;
  const thaw = `remit budgets unfreeze --account ${accounts[0].accountId}`;
  const raised = (await remit("budgets", "raise", ...one, "--to", "210")).out;
  expect([raised.includes(stays), raised.includes(thaw)]).toEqual([true, true]);
  const whole = (await remit("budgets", "unfreeze", "refunds", "--reason", "mended")).out;
  expect([whole.includes("refunds was not frozen"), whole.includes(thaw)]).toEqual([true, true]);
  expect((await remit("budgets", "unfreeze", ...one)).out).toContain(`unfroze account ${accounts[0].accountId}`);
  expect((await remit("budgets", "unfreeze", "refunds", "--reason", "mended")).out).not.toContain(thaw);
  expect((await remit("budgets", "lower", ...one, "--to", "200")).code).toBe(0);
  const cleared = await remit("budgets", "raise", ...one, "--own", "none");
  expect(cleared.out).toContain(`raised account ${accounts[0].accountId} from 200 to the budget's 300 EUR`);
  expect((await remit("budgets", "raise", ...one, "--own", "none", "--to", "9")).code).toBe(2);
  expect((await remit("budgets", "raise", ...one, "--own", "some")).code).toBe(2);
});

test("holds are listed and resolved by hand, a late report corrects that, and the books are right all the time", async () => {
  const { holds } = JSON.parse((await remit("holds", "list", "--running", "--json")).out);
  expect(holds).toHaveLength(2);
  const [hold, other] = holds;
  const resolved = await shown(
    "holds",
    "resolve",
    hold.holdId,
    "--released",
    "--reason",
    "the bank has no such transfer",
  );
  expect(resolved).toMatchObject({ code: 0 });
  expect((await remit("budgets", "verify")).code).toBe(0);
  expect((await remit("why", hold.decisionId)).out).toContain(
    "the bank has no such transfer; what was held is given back",
  );
  expect((await remit("holds", "resolve", hold.holdId, "--spent", "--reason", "x")).code).not.toBe(0);
  expect((await remit("holds", "resolve", hold.holdId, "--reason", "x")).code).toBe(2);
  await remit("holds", "resolve", other.holdId, "--spent", "--reason", "it was paid");
  await remit("report", other.decisionId, "--outcome", "succeeded", "--actual", "EUR=10");
  const refunds = JSON.parse((await remit("budgets", "show", "refunds", "--json")).out);
  expect(refunds.accounts).toMatchObject([{ spent: "65", held: "0" }]);
  expect((await remit("why", other.decisionId)).out).toContain("corrected by");
  const verified = await shown("budgets", "verify");
  expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/^ok: 4 accounts, \d+ records/) });
});

test("the guide shows what these commands say", async () => {
  const guide = await readFile(new URL("../../../docs/budgets.md", import.meta.url), "utf8");
  const days = (text: string) =>
    text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "(time)").replaceAll(/\d+ records/g, "n records");
  // Where the window is, and how wide a column of ids was, is another matter every time.
  const plain = (text: string) =>
    days(text)
      .replaceAll(/\[[#|-]{20}\]/g, "[bar]")
      .replaceAll(/ {2,}/g, "  ");
  expect(transcripts.length).toBeGreaterThan(5);
  for (const transcript of transcripts) expect(plain(guide)).toContain(plain(transcript));
});
