import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeIo } from "./fake-io.ts";
import { run } from "./run.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "remit-init-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function init(...args: string[]) {
  const io = fakeIo();
  const code = await run(io, ["policy", "init", ...args]);
  return { code, stdout: io.outLines.join("\n"), stderr: io.errLines.join("\n") };
}

test("lists what there is, and writes nothing", async () => {
  const target = join(directory, "none");
  const { code, stdout } = await init(target, "--list");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^mail +Mail goes to known domains/m);
  expect(stdout.split("\n")).toHaveLength(11);
  const json = JSON.parse((await init("--list", "--json", "--only", "mail")).stdout);
  expect(json.policies).toMatchObject([{ name: "mail", files: ["mail.yaml", "mail_test.yaml"] }]);
  expect(await readdir(directory)).toEqual([]);
});

test("writes some, which pass lint and their tests", async () => {
  const target = join(directory, "some");
  const { code, stdout } = await init(target, "--only", "mail, files");
  expect(code).toBe(0);
  expect(stdout).toContain(`wrote ${join(target, "mail_test.yaml")}`);
  expect(stdout).toContain(`next: remit policy test ${target}`);
  expect((await readdir(target)).sort()).toEqual(["files.yaml", "files_test.yaml", "mail.yaml", "mail_test.yaml"]);
  for (const command of [
    ["lint", target, "--strict"],
    ["test", target],
  ]) {
    expect(await run(fakeIo(), ["policy", ...command])).toBe(0);
  }
});

test("never replaces a file, and then writes none", async () => {
  const target = join(directory, "mine");
  await init(target, "--only", "urls");
  await writeFile(join(target, "urls_test.yaml"), "mine");
  await rm(join(target, "urls.yaml"));
  const { code, stderr } = await init(target);
  expect(code).toBe(2);
  expect(stderr).toContain(`${join(target, "urls_test.yaml")} is there already`);
  expect(await readdir(target)).toEqual(["urls_test.yaml"]);
  expect(await readFile(join(target, "urls_test.yaml"), "utf8")).toBe("mine");
});

test("says which policies there are when one is not", async () => {
  const { code, stderr } = await init(directory, "--only", "mails");
  expect(code).toBe(2);
  expect(stderr).toContain('no starter policy is called "mails"');
  expect(stderr).toContain("hours, mail, payments");
});
