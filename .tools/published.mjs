// Installs what we publish into an empty folder, as a stranger does: with their dependencies from the registry, on the
// oldest Node that we promise. That Node comes from npm and is kept under the user's cache.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { durablePostgres } from "../services/cli/test/durable-postgres.ts";
import { workInProduction } from "../services/cli/test/production.ts";
import { cacheDirectory } from "./cache.ts";

const OLDEST = "22.12.0";
const root = resolve(import.meta.dirname, "..");
const platform = `node-${process.platform === "darwin" && process.arch === "arm64" ? "bin-" : ""}${process.platform}-${process.arch}`;
const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"];

function run(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    ...options,
  });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}

/** The path of the oldest Node. */
function oldestNode() {
  const home = cacheDirectory(`node-${OLDEST}`);
  const node = join(home, "node_modules", platform, "bin/node");
  if (!existsSync(node)) {
    mkdirSync(home, { recursive: true });
    run("npm", ["install", "--prefix", home, "--ignore-scripts", ...quiet, `${platform}@${OLDEST}`], { cwd: home });
  }
  return node;
}

const folder = mkdtempSync(join(tmpdir(), "remit-published-"));
try {
  for (const [workspace, what] of [
    ["proto", "./dist"],
    ["sdk-node", "./dist"],
    ["services/cli", "."],
  ]) {
    run("npm", ["pack", "--silent", what, "--pack-destination", folder], { cwd: join(root, workspace) });
  }
  const tarballs = readdirSync(folder).map((file) => `./${file}`);
  writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
  run("npm", ["install", "--omit=optional", "--prefer-offline", ...quiet, ...tarballs], { cwd: folder });
  console.log(`installed ${tarballs.join(" ")} and ${readdirSync(join(folder, "node_modules")).length} folders`);

  writeFileSync(
    join(folder, "try.js"),
    `import { createClient, RemitError } from "@remit/sdk";
     import { DecisionService } from "@remit/proto/decision";
     const remit = createClient({ address: "127.0.0.1:1", key: "rmt_none" });
     const failure = await remit.ready({ timeoutMs: 100 }).catch((error) => error);
     await remit.close();
     if (!(failure instanceof RemitError) || DecisionService.typeName !== "remit.v1.DecisionService") process.exit(1);
     console.log(process.version, failure.message);`,
  );
  const remit = join(folder, "node_modules/@remit/cli");
  await using postgres = await durablePostgres();
  for (const node of [process.execPath, oldestNode()]) console.log(run(node, ["try.js"], { cwd: folder }));
  const command = [oldestNode(), join(remit, "bin/remit.js")];
  const shift = await workInProduction({ command, cwd: folder, postgres, documents: join(remit, "dist/documents") });
  const codes = [shift.migrated.code, shift.ready, shift.reported.code, shift.served.code];
  if (codes.join() !== "0,200,0,0" || !shift.decided.stdout.includes("EFFECT_ALLOW"))
    throw new Error(JSON.stringify(shift));
  console.log(`on Node ${OLDEST} remit migrated, became ready, decided, reported and stopped on SIGTERM`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
