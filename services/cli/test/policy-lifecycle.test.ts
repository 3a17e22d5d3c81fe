import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { type Announced, fixtures, type Running, serve, temporaryDirectory } from "./remit.ts";

/*
 * A policy's life from the command line: a draft, versions in force, a way back, and a version that is tried first.
 */

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let service: Running & { readonly at: Announced };
let env: Record<string, string>;

/** Runs a command in this process: there are many of them. The service is another process. */
async function remit(args: readonly string[], options: { readonly env: Record<string, string> }) {
  const io = fakeIo(options);
  const code = await run(io, args);
  return { code, stdout: `${io.outLines.join("\n")}\n`, stderr: `${io.errLines.join("\n")}\n` };
}

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await serve(directory.path);
  const { grpcAddress, adminAddress, bootstrapKey = "" } = service.at;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: bootstrapKey };
  await remit(["apply", "-f", join(fixtures, "library"), "--no-activate"], { env });
  const opened = await remit(["session", "open", "desk", "--principal", "ada", "--json"], { env });
  env = { ...env, REMIT_SESSION: JSON.parse(opened.stdout).token };
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await directory[Symbol.asyncDispose]();
});

const policy = (...args: string[]) => remit(["policy", ...args], { env });

async function write(rule: string): Promise<string> {
  const file = join(directory.path, "desk.yaml");
  await writeFile(
    file,
    `# The desk's own rules.
apiVersion: remit/v1
kind: Policy
metadata: { name: desk-rules }
spec: { rules: [{ id: lists, match: { tools: [loans.list] }, ${rule} }] }
`,
  );
  return file;
}

const LIST = ["decide", "loans.list", "--input", '{"reader": "ada"}'];

test("a draft is stored, shown with what is wrong with it, and refused until it is mended", async () => {
  const stored = await policy("publish", "--draft", await write("effect: allow, when: input.raeder == principal.id"));
  expect(stored).toMatchObject({ code: 0, stderr: expect.stringContaining("raeder") });
  expect(stored.stdout).toContain("a draft: remit policy validate desk-rules@1");
  const activated = await policy("activate", "desk-rules");
  expect(activated).toMatchObject({ code: 1, stderr: expect.stringContaining("desk-rules@1 is a draft") });
  const shown = await policy("show", "desk-rules");
  expect(shown.stdout).toMatch(/^desk-rules@1 {2}draft {2}1 rule\n {2}digest {4}sha256:[0-9a-f]{64}\n/);
  expect(shown.stdout).toMatch(/ {2}published .+ by owner\n\n# The desk's own rules\.\n/);
  expect(shown.stderr).toContain("desk-rules@1:5:");
  expect((await policy("validate", "desk-rules@1")).code).toBe(1);
});

test("versions come into force, go back, and leave, and the list tells since when and by whom", async () => {
  for (const rule of ["effect: allow", "effect: deny"]) {
    expect((await policy("publish", await write(rule))).code).toBe(0);
    expect((await policy("activate", "desk-rules")).stdout).toContain("in force (1 rule)");
  }
  expect((await remit(LIST, { env })).code).toBe(1);
  const { revision } = JSON.parse((await policy("list", "--json")).stdout);
  const stale = await policy("rollback", "desk-rules", "--expected-revision", `${Number(revision) + 7}`);
  expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining(`is at revision ${revision}`) });
  const back = await policy("rollback", "desk-rules", "--expected-revision", revision);
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining("desk-rules@2 in force") });
  expect((await remit(LIST, { env })).code).toBe(0);
  const listed = (await policy("list")).stdout;
  expect(listed).toMatch(/desk-rules +2 +active .+ since \S+ by owner/);
  expect(listed).toMatch(/desk-rules +3 +superseded .+ until \S+ by owner/);
  const nothing = await policy("rollback", "desk-rules");
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("remit policy deactivate desk-rules") });
  expect((await policy("deactivate", "desk-rules")).stdout).toContain("no policy is in force");
  expect((await policy("rollback", "desk-rules", "--to", "3")).stdout).toContain("desk-rules@3 in force");
  expect((await policy("rollback", "desk-rules@2")).stdout).toContain("desk-rules@2 in force");
});

test("a version is tried, decides for some, is promoted, and the next one is called off", async () => {
  const begun = await policy("candidate", "desk-rules@3");
  expect(begun.stdout).toContain("desk-rules@3 (beside desk-rules@2)  judged along, decides for nobody");
  const decided = await remit(LIST, { env });
  expect(decided).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("desk-rules@3 judged along; it would deny (desk-rules@3/lists)"),
  });
  const [id = ""] = /[0-9a-f-]{36}/.exec(decided.stdout.slice(decided.stdout.indexOf("remit why"))) ?? [];
  expect((await remit(["why", id], { env })).stdout).toContain("tried      desk-rules@3 judged along; it would deny");
  const told = await policy("candidate", "status");
  expect(told.stdout).toContain("1 by both, 0 of them decided by what is tried; 1 differ");
  expect(told.stdout).toMatch(/allow → deny +rule_allowed → rule_denied +1 +remit why/);
  const counted = JSON.parse((await policy("candidate", "status", "--json")).stdout);
  expect(counted).toMatchObject({ judged: "1", differences: [{ calls: "1", decisionIds: [id] }] });

  const listed = await remit(["decisions", "list", "--differs"], { env });
  expect(listed.stdout).toMatch(/ allow, tried deny +loans\.list +desk /);
  expect((await policy("canary", "--percent", "100")).stdout).toContain("decides for 100 % of the sessions");
  const denied = await remit(LIST, { env });
  expect(denied).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("desk-rules@3 decided; what is in force would allow (desk-rules@2/lists)"),
  });
  const lowered = await policy("canary", "--percent", "99.99");
  expect(lowered).toMatchObject({ code: 1, stderr: expect.stringContaining("remit policy abort") });
  expect((await policy("promote")).stdout).toContain("promoted");
  expect((await policy("show", "desk-rules@3")).stdout).toMatch(/in force .+ by owner \(promoted\) to this day/);

  expect((await policy("canary", "desk-rules@2", "--percent", "0.5")).stdout).toContain("decides for 0.5 %");
  expect((await policy("abort")).stdout).toContain("aborted");
  expect(await policy("promote")).toMatchObject({ code: 1, stderr: expect.stringContaining("was called off") });
  expect(await policy("candidate")).toMatchObject({ code: 2, stderr: expect.stringContaining("no version is named") });
});
