import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readIgnore } from "../image/context.ts";
import { lastOf, pairsOf, problemsOf, readStages } from "../image/dockerfile.ts";
import { rehearse, type StandIn } from "../image/rehearse.ts";
import { durablePostgres } from "./durable-postgres.ts";
import { workInProduction } from "./production.ts";
import { temporaryDirectory } from "./remit.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const dockerfile = readFileSync(join(root, "services/cli/Dockerfile"), "utf8");
const [build, last] = readStages(dockerfile);
if (build === undefined || last === undefined) throw new Error("the Dockerfile has two stages");

/** The checkout's installed packages, with our own workspaces as links to what the steps copied. */
function linkPackages(to: string): void {
  const from = join(root, "node_modules");
  mkdirSync(join(to, "@remit"), { recursive: true });
  for (const name of readdirSync(from)) if (name !== "@remit") symlinkSync(join(from, name), join(to, name));
  for (const name of readdirSync(join(from, "@remit"))) {
    symlinkSync(readlinkSync(join(from, "@remit", name)), join(to, "@remit", name));
  }
}

/** Needs Node and npm alone: no install, and no libraries but this machine's own. CI runs the steps as they stand. */
const quick: StandIn = (command, directory) => {
  if (command.startsWith("npm ci ")) linkPackages(join(directory, "node_modules"));
  else if (command.includes("rootfs.sh")) {
    const bin = join(directory, "../rootfs/usr/local/bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(process.execPath, join(bin, "node"));
    chmodSync(join(bin, "node"), 0o755);
  } else return false;
  return true;
};

test("a linter has nothing against the Dockerfile", () => {
  expect(problemsOf(dockerfile)).toEqual([]);
  expect(problemsOf("FROM a\nRUNN x\n")).not.toEqual([]);
});

test("the image is built from a pinned Node, the one that this project is tested on", () => {
  expect(build.from).toMatch(/^node:\d+\.\d+\.\d+-\w+-slim$/);
  expect(build.from).toContain(readFileSync(join(root, ".node-version"), "utf8").trim());
  expect(last.from).toBe("scratch");
  const pinned = `${build.from}@sha256:${"0".repeat(64)}`;
  expect(readStages(dockerfile, { NODE_IMAGE: pinned })[0]?.from).toBe(pinned);
});

test("the image runs node itself as a user by number, with no secret, no Postgres and no word on the transport", () => {
  expect(lastOf(last, "USER").text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(lastOf(last, "ENTRYPOINT").words).toEqual(["/usr/local/bin/node", "/remit/bin/remit.js"]);
  expect(lastOf(last, "CMD").words).toEqual(["serve"]);
  expect(lastOf(last, "STOPSIGNAL").text).toBe("SIGTERM");
  expect(pairsOf(last, "ENV")).toEqual({ NODE_ENV: "production", REMIT_MODE: "production" });
  expect(last.steps.filter(({ keyword }) => keyword === "RUN" || keyword === "HEALTHCHECK")).toEqual([]);
  const version = JSON.parse(readFileSync(join(root, "services/cli/package.json"), "utf8")).version;
  expect(pairsOf(last, "LABEL")).toMatchObject({
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": "Apache-2.0",
  });
});

test("every workspace of the lock is there when the packages are installed", () => {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { workspaces: string[] };
  const install = build.steps.findIndex(({ text }) => text.startsWith("npm ci "));
  const copied = build.steps.slice(0, install).flatMap(({ words }) => words);
  for (const workspace of workspaces) expect(copied).toContain(`${workspace}/package.json`);
});

test("the build context has what the steps copy, and neither packages nor builds nor tests nor data", () => {
  const { ignored } = readIgnore(readFileSync(join(root, ".dockerignore"), "utf8"));
  for (const path of [
    ...["package.json", ".npmrc", "migrations/0001_cell_and_tenants.sql", "proto/gen/remit/v1/common_pb.ts"],
    ...["services/cli/src/main.ts", "services/cli/image/rootfs.sh", "bench/package.json", "sdk-node/src/index.ts"],
  ]) {
    expect(ignored(path), path).toBe(false);
  }
  for (const path of [
    ...[".git/config", ".remit/demo-key", "node_modules/pg/package.json", "services/pdp/node_modules/x/y.js"],
    ...["services/cli/dist/main.js", "services/cli/test/remit.ts", "services/pdp/src/config/load.test.ts"],
    ...["bench/src/main.ts", "docs/words.md", "services/cli/.remit/demo-key"],
  ]) {
    expect(ignored(path), path).toBe(true);
  }
});

test("what the steps make decides in production mode, read-only and as its own user, and writes nothing", async () => {
  await using directory = await temporaryDirectory();
  chmodSync(directory.path, 0o755);
  const image = rehearse(dockerfile, { context: root, scratch: directory.path, standIn: quick });
  for (const gone of ["remit/node_modules", "remit/src", "usr/local/lib/node_modules", "remit/dist/node_modules"]) {
    expect(existsSync(join(image.root, gone)), gone).toBe(false);
  }
  execFileSync("chmod", ["-R", "a-w", image.root]);
  await using postgres = await durablePostgres();
  const [node = "", launcher = ""] = image.argv.map((word) => join(image.root, word));
  const cwd = join(image.root, image.workdir);
  const before = execFileSync("find", [image.root], { encoding: "utf8" });
  const shift = await workInProduction({
    command: [node, launcher],
    cwd,
    env: { ...image.env },
    // Who is root may become the user of the image; who is not is not root, which is what counts.
    ...(process.getuid?.() === 0 && { user: image.user }),
    postgres,
    documents: join(image.root, "remit/dist/documents"),
  });
  expect(shift.migrated.code).toBe(0);
  expect(JSON.parse(shift.decided.stdout)).toMatchObject({ effect: "EFFECT_ALLOW" });
  expect([shift.ready, shift.reported.code, shift.served.code]).toEqual([200, 0, 0]);
  expect(execFileSync("find", [image.root], { encoding: "utf8" })).toBe(before);
  execFileSync("chmod", ["-R", "u+w", image.root]);
});
