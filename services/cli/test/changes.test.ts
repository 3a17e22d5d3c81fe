import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { type Announced, type Running, serve, temporaryDirectory } from "./remit.ts";

/*
 * A tenant that takes two people, from the command line of both.
 */

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let files: string;
const keys: Record<string, string> = {};

/** One person's command, in this process. */
async function as(who: string, ...args: string[]) {
  const { grpcAddress, adminAddress } = service.at;
  const env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: keys[who] ?? "" };
  const io = fakeIo({ env });
  const code = await run(io, args);
  return { code, out: io.outLines.join("\n"), err: io.errLines.join("\n") };
}

const write = (kind: string, name: string, spec: string) =>
  writeFile(
    join(files, `${kind}-${name}.yaml`),
    `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
  );

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
  keys.owner = service.at.bootstrapKey ?? "";
  files = join(directory.path, "documents");
  await mkdir(files);
  for (const name of ["ada", "bob"]) keys[name] = (await as("owner", "keys", "create", name, "--role", "owner")).out;
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

const idIn = (text: string) => /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(text)?.[0] ?? "";

test("a tenant says how many people it takes, and whether one is enough", async () => {
  expect((await as("ada", "tenants", "show")).out).toContain("people    1: one alone can widen");
  expect(await as("ada", "tenants", "set", "--people", "0")).toMatchObject({ code: 2 });
  expect((await as("ada", "tenants", "set", "--people", "2")).out).toMatch(/^people {4}2$/m);
});

test("what one applies is proposed document by document, read and approved by another, and then there", async () => {
  await write("Tool", "books.lend", "{ risk: write }");
  await write("Policy", "desk", '{ rules: [{ id: lend, match: { tools: ["*"] }, effect: allow }] }');
  const applied = await as("ada", "apply", "-f", files, "--json");
  expect(applied.code).toBe(1);
  const { applied: items } = JSON.parse(applied.out) as {
    applied: { kind: string; change: string; proposal: string }[];
  };
  expect(items).toMatchObject([
    { kind: "tool", change: "proposed" },
    { kind: "policy", change: "proposed" },
  ]);
  const listed = await as("bob", "changes", "list", "--state", "proposed");
  for (const { proposal } of items) expect(listed.out).toContain(proposal);
  const shown = await as("bob", "changes", "show", items[1]?.proposal ?? "");
  expect(shown.out).toContain("policy desk: out of force → version 1");
  expect(shown.out).toContain("lend");
  expect((await as("ada", "changes", "approve", items[0]?.proposal ?? "")).err).toContain("change_same_person");
  for (const { proposal } of items) {
    expect(await as("bob", "changes", "approve", proposal)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^applied; revision/),
    });
    expect(await as("bob", "changes", "approve", proposal)).toMatchObject({ code: 0, out: "applied before" });
  }
  expect((await as("ada", "tools", "list")).out).toContain("books.lend");
  expect((await as("ada", "policy", "list")).out).toMatch(/desk +1 +active/);
  expect(await as("ada", "apply", "-f", files)).toMatchObject({ code: 0 });
});

test("a command that widens says what it was proposed as and what the other does, and changes nothing", async () => {
  const set = await as("ada", "tenants", "set", "--mode", "observe");
  expect(set).toMatchObject({ code: 1, out: "" });
  expect(set.err).toContain("proposed as change");
  const id = idIn(set.err);
  expect(set.err).toContain(`remit changes approve ${id}`);
  expect((await as("ada", "tenants", "show")).out).toContain("mode      enforce");
  const shown = await as("bob", "changes", "show", id);
  expect(shown.out).toContain('- mode: "enforce"');
  expect(shown.out).toContain('+ mode: "observe"');
  const wrong = await as("bob", "changes", "approve", id, "--digest", `sha256:${"0".repeat(64)}`);
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("change_differs") });
  expect(await as("bob", "changes", "reject", id, "--reason", "not now")).toMatchObject({ code: 0 });
  const after = JSON.parse((await as("ada", "changes", "show", id, "--json")).out);
  expect(after.change).toMatchObject({ state: "rejected", endedWhy: "not now", endedBy: { name: "bob" } });
});

test("a key is made where it is asked for, waits for the other, and what is withdrawn is over", async () => {
  const made = await as("ada", "keys", "create", "looker", "--role", "viewer");
  expect(made.code).toBe(1);
  keys.looker = made.out;
  expect(made.out).toMatch(/^rmt_/);
  const id = idIn(made.err.slice(made.err.indexOf("change ")));
  expect((await as("bob", "changes", "show", id)).out).not.toContain(made.out);
  expect(await as("bob", "changes", "approve", id)).toMatchObject({ code: 0 });
  expect(await as("looker", "changes", "list", "--state", "applied")).toMatchObject({ code: 0 });
  const again = await as("ada", "keys", "create", "other", "--role", "viewer");
  const other = idIn(again.err.slice(again.err.indexOf("change ")));
  expect(await as("ada", "changes", "withdraw", other)).toMatchObject({ code: 0 });
  expect((await as("bob", "changes", "approve", other)).err).toContain("change_over");
});

test("whoever approves sees all of what is proposed, and nothing that was written to be overlooked", async () => {
  const long = (most: number) => `input.amount < ${"0 + ".repeat(150)}${most}`;
  const rule = (most: number) =>
    `{ id: pay, match: { tools: ["*"] }, when: ["${long(most)}"], effect: allow, message: "a\\u202Eb\\u009B2K" }`;
  const spec = (most: number) => `{ variables: { cap: "1000000" }, rules: [${rule(most)}] }`;
  await write("Policy", "hidden", spec(10));
  const proposalOf = async () => idIn((await as("ada", "apply", "-f", join(files, "Policy-hidden.yaml"))).out);
  const first = await proposalOf();
  const added = await as("bob", "changes", "show", first);
  // Beside its rules, what they are about: a policy that comes is shown whole.
  expect(added.out).toContain('spec.variables.cap: + "1000000"');
  expect(added.out).toContain("a\\u{202E}b\\u{9B}2K");
  await as("bob", "changes", "approve", first);
  await write("Policy", "hidden", spec(1_000_000));
  const changed = await as("bob", "changes", "show", await proposalOf());
  expect(changed.out).toMatch(/- .*0 \+ 10$/m);
  expect(changed.out).toMatch(/\+ .*0 \+ 1000000$/m);
});
