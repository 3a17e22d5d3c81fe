import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fakeIo } from "./fake-io.ts";
import { run } from "./run.ts";

const fixtures = fileURLToPath(new URL("../test/fixtures/", import.meta.url));
const library = join(fixtures, "library");
const broken = join(fixtures, "broken", "policy.yaml");

async function remit(args: readonly string[], env: Record<string, string> = {}) {
  const io = fakeIo({ env });
  const code = await run(io, args);
  return { code, stdout: io.outLines.join("\n"), stderr: io.errLines.join("\n") };
}

test("help lists the commands, the environment and what exit codes mean", async () => {
  const { code, stdout } = await remit(["--help"]);
  expect(code).toBe(0);
  for (const word of [
    "serve",
    "migrate",
    "apply",
    "session",
    "decide",
    "report",
    "why",
    "policy",
    "trace-run",
    "keys",
  ]) {
    expect(stdout).toMatch(new RegExp(`^  ${word} `, "m"));
  }
  expect(stdout).toContain("REMIT_API_KEY");
  expect(stdout).toContain("Exit codes:");
});

const commands = [
  "serve",
  "migrate",
  "apply",
  "session open",
  "session delegate",
  "session renew",
  "session close",
  "decide",
  "report",
  "why",
  "decisions list",
  "policy lint",
  "policy init",
  "policy test",
  "policy diff",
  "policy explain",
  "policy suggest",
  "policy publish",
  "policy activate",
  "policy list",
  "trace-run",
  "keys create",
  "keys list",
  "keys revoke",
  "tools list",
  "tools show",
  "tools import mcp",
  "tools import openapi",
  "agents list",
];

test.each(commands)("the help of `%s` shows lines that work", async (command) => {
  const { code, stdout } = await remit([...command.split(" "), "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("Examples:");
  expect(stdout).toMatch(new RegExp(`^  (REMIT_\\S+ )?remit ${command}`, "m"));
});

test.each([
  [["decde", "x"], "decide"],
  [["policy", "lnt"], "lint"],
  [["decide", "x", "--inptu", "{}"], "--input"],
])("%j is a mistake, and the nearest word is named", async (args, nearest) => {
  const { code, stderr } = await remit(args);
  expect(code).toBe(2);
  expect(stderr).toContain(`Did you mean ${nearest}?`);
});

test.each([
  [[], "Usage: remit"],
  [["trace-run"], "missing required argument 'file'"],
  [["decide", "x"], "no session is named"],
  [["tools", "list"], "no API key is set"],
  [["tools", "import", "mcp"], "by --command or by --url"],
  [["tools", "import", "mcp", "--command", "a 'b"], "a quote that is not closed"],
  [["tools", "import", "mcp", "--url", "file:///etc/passwd"], "--url is not a URL"],
  [["tools", "import", "mcp", "--url", "http://127.0.0.1:1", "--bearer-env", "NONE"], "NONE is not set"],
  [["tools", "import", "openapi", "/nowhere.yaml"], "cannot read /nowhere.yaml"],
  [["tools", "import", "openapi", broken], "is not an OpenAPI document"],
  [["report", "--outcome", "succeeded"], "name the decision, or the call with --call-id"],
  [["report", "d", "--outcome", "done"], "Allowed choices are running"],
  [["trace-run", "/nowhere/calls.jsonl"], "cannot read /nowhere/calls.jsonl"],
  [["trace-run", join(library, "calls.jsonl"), "--principal", "user"], "--principal takes a path"],
  [["policy", "lint", "/nowhere"], "cannot read /nowhere"],
  [["policy", "test", library], "no *_test.yaml"],
  [["policy", "test", library, "--min-coverage", "101"], "--min-coverage takes a percentage"],
  [["policy", "explain", library], "no tool is named"],
  [["policy", "explain", library, "--facts", "/nowhere.yaml"], "--facts cannot read /nowhere.yaml"],
  [["policy", "explain", "--tool", "x"], "no session is named"],
  [["policy", "explain", "--tool", "x", "--agent", "desk"], "name the files too"],
  [["migrate"], "REMIT_MIGRATION_URL"],
  [["serve", "--config", "/nowhere/remit.yaml"], "/nowhere/remit.yaml"],
  [["keys", "create", "x", "--role", "king"], "Allowed choices are viewer"],
])("%j is told what is missing and ends with 2", async (args, message) => {
  const { code, stderr } = await remit(args);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test("lint names the file, the line, the mistake and the nearest word, and ends with 1", async () => {
  const { code, stderr, stdout } = await remit(["policy", "lint", broken]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${broken}:8:15`);
  expect(stderr).toContain("did you mean: allow");
  expect(stdout).toBe("");
  expect((await remit(["policy", "lint", library])).stdout).toContain("ok: 1 policy, 4 rules, 2 tools, 1 agent");
});

test("lint reads standard input and whole directories", async () => {
  const io = fakeIo({ stdin: await readFile(broken, "utf8") });
  expect(await run(io, ["policy", "lint", "-"])).toBe(1);
  expect(io.errLines.join("\n")).toContain("stdin:8:15");
  expect((await remit(["policy", "lint", join(fixtures, "broken"), library])).code).toBe(1);
});

test("lint says the same to machines", async () => {
  const { code, stdout } = await remit(["policy", "lint", broken, "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([{ line: 8, severity: "error", code: "value_invalid", nearest: "allow" }]);
  const github = await remit(["policy", "lint", broken, "--format", "github"]);
  expect(github.stdout).toMatch(/^::error file=.*policy\.yaml,line=8,col=15,title=value_invalid::/);
  const sarif = await remit(["policy", "lint", broken, "--format", "sarif"]);
  expect(JSON.parse(sarif.stdout)).toMatchObject({ version: "2.1.0", runs: [{ results: [{ level: "error" }] }] });
});

test("the schemas of documents are printed for editors, all or one", async () => {
  expect(JSON.parse((await remit(["policy", "schema"])).stdout)).toHaveProperty("$defs.Budget");
  const group = await remit(["policy", "schema", "group"]);
  expect(JSON.parse(group.stdout)).toMatchObject({ title: "Remit Group", required: expect.arrayContaining(["spec"]) });
  expect(await remit(["policy", "schema", "Polcy"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Policy"),
  });
});

const passing = `apiVersion: remit/v1
kind: PolicyTest
metadata: { name: library }
spec:
  cases:
    - name: another reader
      given: { call: { tool: loans.list, input: { reader: bo } }, principal: { id: ada } }
      expect: { effect: deny, rules: [library/one-reader-a-session] }
`;

test("policy test runs the cases beside the policies: 0 when they pass, 1 when one fails", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "remit-cli-")), "library_test.yaml");
  await writeFile(file, passing);
  expect(await remit(["policy", "test", library, file])).toMatchObject({ code: 0, stdout: "ok: 1 case in 1 file" });
  await writeFile(file, passing.replace("effect: deny", "effect: allow"));
  const failed = await remit(["policy", "test", library, file]);
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain(`${file}:6:7: another reader`);
  expect(failed.stdout).toContain("- expected  allow");
  expect(failed.stdout).toContain('input.reader != principal.id → "bo" != "ada" → true');
  expect(failed.stdout).toContain("1 of 1 case in 1 file failed");
});

test("policy test measures coverage, writes JUnit, and runs what is asked for", async () => {
  const directory = await mkdtemp(join(tmpdir(), "remit-cli-"));
  const file = join(directory, "library_test.yaml");
  const junit = join(directory, "junit.xml");
  await writeFile(file, passing);
  const little = await remit(["policy", "test", library, file, "--min-coverage", "90", "--junit", junit]);
  expect(little).toMatchObject({ code: 1, stderr: expect.stringMatching(/the coverage is [\d.]+%, less than 90%/) });
  expect(little.stdout).toContain("library/four-weeks-at-most  never matched");
  expect(await readFile(junit, "utf8")).toContain('<testcase classname="library" name="another reader"');
  const verbose = await remit([
    "policy",
    "test",
    library,
    file,
    "--verbose",
    "--filter",
    "reader",
    "--min-coverage",
    "5",
  ]);
  expect(verbose).toMatchObject({ code: 0, stdout: expect.stringContaining(`${file}:6:7: another reader`) });
  const json = await remit(["policy", "test", library, file, "--json", "--coverage"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    passed: 1,
    failed: [],
    cases: [{ line: 6 }],
    coverage: { rules: [{}, {}, {}, {}] },
  });
  const none = await remit(["policy", "test", library, file, "--filter", "nothing"]);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("no case has") });
});

test("policy explain shows the rules of a call, from options or from a file; the exit code is the answer", async () => {
  const options = ["--tool", "loans.renew", "--agent", "desk", "--principal", "ada"];
  const input = (days: number) => ["--input", JSON.stringify({ reader: "ada", book: "atlas", days })];
  const shown = await remit(["policy", "explain", library, ...options, ...input(30)]);
  expect(shown.code).toBe(0);
  for (const text of [
    "would transform  loans.renew",
    "passed    the input fits its schema",
    "when   input.days > 28 → 30 > 28 → true",
    "set    input.days: 30 → 28",
    "allow by library/serve-the-reader → transform (rule_transformed)",
  ]) {
    expect(shown.stdout).toContain(text);
  }
  const facts = join(await mkdtemp(join(tmpdir(), "remit-cli-")), "call.yaml");
  await writeFile(
    facts,
    "call: { tool: loans.renew, input: { reader: bo, book: atlas, days: 3 } }\nprincipal: { id: ada }\n",
  );
  const denied = await remit(["policy", "explain", library, "--facts", facts, "--json"]);
  expect(denied.code).toBe(1);
  expect(JSON.parse(denied.stdout)).toMatchObject({ verdict: { code: "rule_denied" }, considered: [{}, {}, {}, {}] });
  await writeFile(facts, "cal: {}\n");
  const wrong = await remit(["policy", "explain", library, "--facts", facts]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("did you mean: call") });
  const outside = await remit(["policy", "explain", library, "--tool", "fines.pay", "--agent", "desk"]);
  expect(outside.stdout).toContain("refused   the tool is registered: no tool is registered as fines.pay");
});

test("a log with broken lines is told line by line, and nothing is decided", async () => {
  const { code, stdout, stderr } = await remit(["trace-run", join(fixtures, "broken", "calls.jsonl")]);
  expect(code).toBe(1);
  expect(stderr).toContain("calls.jsonl:2: error: `input` must be a JSON object");
  expect(stderr).toContain("calls.jsonl:3: error: not JSON");
  expect(stdout).toBe("");
});

test("policies with errors are told, and nothing is decided", async () => {
  const { code, stderr } = await remit(["trace-run", join(library, "calls.jsonl"), "--policy", broken]);
  expect(code).toBe(1);
  expect(stderr).toContain("policy.yaml:8:15");
});

test("a wrong configuration ends with 78, all problems at once", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "remit-cli-")), "remit.yaml");
  await writeFile(file, "writer: 3\n");
  const env = {
    REMIT_CONFIG: file,
    REMIT_POLL_MS: "soon",
    REMIT_GRPC_ADRESS: "127.0.0.1:1",
    REMIT_DATABASE_URL: "mysql://u:hunter2@h/d",
  };
  const { code, stderr } = await remit(["serve", "--http-address", "0.0.0.0:7080"], env);
  expect(code).toBe(78);
  expect(stderr).toContain("5 problems");
  const named = ["remit.yaml:1", "did you mean writers?", "REMIT_POLL_MS", "REMIT_GRPC_ADDRESS", "0.0.0.0:7080"];
  for (const name of named) expect(stderr).toContain(name);
  expect(stderr).not.toContain("hunter2");
});

test("--demo stays away from production", async () => {
  const env = {
    REMIT_DATABASE_URL: "postgres://remit@127.0.0.1:1/remit",
    REMIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32).toString("base64"),
  };
  const { code, stderr } = await remit(["serve", "--demo"], env);
  expect(code).toBe(2);
  expect(stderr).toContain("--demo is for development");
});
