import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launcher, remit, temporaryDirectory } from "./remit.ts";

test("the command answers on stdout, complains on stderr, and ends with its exit code", async () => {
  expect(await remit(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
  expect(await remit(["decde"])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("Did you mean decide?"),
  });
});

test("a service that is not there ends with 3 and says how to start one", async () => {
  const nowhere = "127.0.0.1:1";
  const env = {
    REMIT_API_KEY: "rmt_key",
    REMIT_SESSION: "token",
    REMIT_ADDRESS: nowhere,
    REMIT_ADMIN_ADDRESS: nowhere,
  };
  for (const args of [
    ["decide", "x"],
    ["tools", "list"],
  ]) {
    const { code, stderr } = await remit(args, { env });
    expect(code).toBe(3);
    expect(stderr).toContain("remit serve");
  }
});

test("remit.yaml of the working directory is read, and a mistake in it ends with 78", async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, "remit.yaml"), "writer: 3\n");
  const { code, stderr } = await remit(["serve"], { cwd: directory.path });
  expect(code).toBe(78);
  expect(stderr).toContain("remit.yaml:1");
});

test("a reader that has seen enough is no failure", async () => {
  const shell = `"${process.execPath}" "${launcher}" --help | head -1`;
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile("sh", ["-c", shell], (error, out) => (error ? reject(error) : resolve(out)));
  });
  expect(stdout).toBe("Usage: remit [options] [command]\n");
});
