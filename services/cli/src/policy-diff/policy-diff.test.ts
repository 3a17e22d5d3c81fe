import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { fakeIo } from "../fake-io.ts";
import { run } from "../run.ts";

const library = fileURLToPath(new URL("../../test/fixtures/library/", import.meta.url));
let old: string;
let now: string;
let directory: string;

const tests = `apiVersion: remit/v1
kind: PolicyTest
spec:
  given: { principal: { id: ada }, call: { tool: loans.renew, input: { reader: ada, book: atlas, days: 3 } } }
  cases:
    - name: days
      each: [{}, { call: { input: { days: 20 } } }, { call: { input: { book: map, days: 10 } } }]
      expect: { effect: allow }
    - name: another reader
      given: { call: { input: { reader: bo } } }
      expect: { effect: deny }
`;

async function remit(...args: string[]) {
  const io = fakeIo({});
  const code = await run(io, ["policy", "diff", ...args]);
  return { code, stdout: io.outLines.join("\n"), stderr: io.errLines.join("\n") };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "remit-diff-"));
  [old, now] = [join(directory, "old"), join(directory, "new")];
  const text = await readFile(join(library, "policy.yaml"), "utf8");
  await mkdir(old);
  await mkdir(now);
  await writeFile(join(old, "policy.yaml"), text);
  await writeFile(join(old, "library_test.yaml"), tests);
  const opened = text
    .replace("when: input.reader != principal.id", 'when: input.reader != principal.id && input.book != "atlas"')
    .replace("input.days > 28", "input.days > 14")
    .replace("set: { days: 28 }", "set: { days: 14 }");
  await writeFile(join(now, "policy.yaml"), opened);
});

test("what has changed is told field by field, and which of the tests' calls end otherwise, the wider first", async () => {
  const { code, stdout } = await remit(old, now);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "~ Policy library",
    "  ~ rule one-reader-a-session",
    "      when:",
    "        - input.reader != principal.id",
    '        + input.reader != principal.id && input.book != "atlas"',
    "  ~ rule four-weeks-at-most",
    "      set.days: 28 → 14",
    "      when: input.days > 28 → input.days > 14",
    "",
    `WIDER  loans.renew  ${join(old, "library_test.yaml")}: another reader`,
    "    deny (library/one-reader-a-session) → allow (library/serve-the-reader)",
    `narrower  loans.renew  ${join(old, "library_test.yaml")}: days (2)`,
    "    allow (library/serve-the-reader) → transform (library/four-weeks-at-most)",
    "4 calls: 1 wider, 1 narrower, 0 otherwise",
  ]);
});

test("two long values are shown from where they begin to differ, and whole with --full", async () => {
  const long = (end: string) => `${'input.book != "atlas" && '.repeat(60)}input.days > ${end}`;
  const [was, becomes] = [join(directory, "was"), join(directory, "becomes")];
  const text = await readFile(join(library, "policy.yaml"), "utf8");
  for (const [side, end] of [[was, "28"] as const, [becomes, "14"] as const]) {
    await mkdir(side);
    await writeFile(join(side, "policy.yaml"), text.replace("when: input.days > 28", `when: '${long(end)}'`));
  }
  const { stdout } = await remit(was, becomes);
  const lines = stdout.split("\n").filter((line) => line.includes("characters"));
  expect(lines.map((line) => line.trim().slice(0, 3))).toEqual(["- …", "+ …"]);
  const { length } = long("28");
  expect(lines[0]).toContain(`input.days > 28 (characters ${length - 61} to ${length} of ${length}; --full shows all)`);
  expect(lines[1]).toContain("input.days > 14 (");
  const full = (await remit(was, becomes, "--full")).stdout;
  expect(full).toContain(`- ${long("28")}\n`);
  expect(full).not.toContain("…");
});

test("--fail-on ends with 1 where a change opens something", async () => {
  expect((await remit(old, now, "--fail-on", "wider")).code).toBe(1);
  expect((await remit(old, old, "--fail-on", "change")).code).toBe(0);
  expect((await remit(now, now, "--tests", old, "--fail-on", "narrower")).code).toBe(0);
  expect((await remit(old, now, "--fail-on", "anything")).code).toBe(2);
});

test("a log of calls is asked of both, by whom and for whom they were made", async () => {
  const log = join(directory, "calls.jsonl");
  const lines = [
    {
      run: "1",
      step: 1,
      tool: "loans.renew",
      input: { reader: "bo", book: "atlas", days: 3 },
      context: { who: "ada" },
    },
    { run: "1", step: 2, tool: "loans.list", input: { reader: "ada" }, context: { who: "ada" } },
    { run: "1", step: 3, tool: "other.tool", input: {} },
  ];
  await writeFile(log, lines.map((line) => JSON.stringify(line)).join("\n"));
  const asked = [old, now, "--calls", log, "--agent", "desk", "--principal", "context.who", "--json"];
  const { outcomes } = JSON.parse((await remit(...asked)).stdout);
  expect(outcomes).toMatchObject({ compared: 7, wider: 2 });
  expect(outcomes.changes.at(-1)).toMatchObject({ name: `${log}:1 (run 1, step 1)`, from: { effect: "deny" } });
  await writeFile(log, '{"run":"1"}\n');
  expect(await remit(old, now, "--calls", log)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("calls.jsonl:1"),
  });
});

test("recorded decisions are asked of both; those that do not say what was asked are counted", async () => {
  const body = {
    ...{ kind: "decision", id: "d1", tool: "loans.renew", at: "2026-03-01T08:00:00Z", attempt: 1, mode: "observed" },
    ...{
      effect: "allow",
      agent: { id: "desk", labels: {}, owner: "library" },
      principal: { id: "ada", verified: true, labels: {} },
    },
    session: { id: "s", labels: {}, depth: 0, purpose: "", ageSeconds: 4 },
    caller: { id: "c", name: "c" },
    scopes: [{ tools: ["*"] }],
    ...{ call: { id: "c1", estimate: [] }, answers: {}, context: {}, supported_constraints: [] },
    input: { reader: "bo", book: "atlas", days: 3 },
  };
  const mark = { redacted: "hmac-sha256:00", key: "k" };
  const { input: _, ...long } = body;
  const all = [body, { ...body, id: "d2", input: { ...body.input, reader: mark } }, long];
  const log = join(directory, "decisions.json");
  await writeFile(log, JSON.stringify(all, null, 2));
  const listed = await remit(old, now, "--calls", log);
  expect(listed.stdout).toContain("WIDER  loans.renew  decision d1");
  expect(listed.stderr).toContain("1 of the log hold values that their tool redacts");
  expect(listed.stderr).toContain("1 of the log were kept without their input");
  await writeFile(log, all.map((one) => JSON.stringify(one)).join("\n"));
  expect((await remit(old, now, "--calls", log)).stdout).toBe(listed.stdout);
});

test("documents with errors are told, and nothing is compared", async () => {
  const broken = fileURLToPath(new URL("../../test/fixtures/broken/policy.yaml", import.meta.url));
  expect(await remit(old, broken)).toMatchObject({ code: 1, stderr: expect.stringContaining("policy.yaml:8:15") });
  expect(await remit(old, "/nowhere")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("cannot read /nowhere"),
  });
});
