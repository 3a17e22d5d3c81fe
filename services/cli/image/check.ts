import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { durablePostgres } from "../test/durable-postgres.ts";
import { workInProduction } from "../test/production.ts";
import { remit } from "../test/remit.ts";
import { type Image, rehearse } from "./rehearse.ts";

/**
 * Makes the image as the Dockerfile says, its own `npm ci` and all, with this machine in the place of the base image;
 * then runs it confined to its own files, read-only, as its own user, against a Postgres in production mode. Needs root
 * for the confinement, glibc and Debian's dpkg for the image's libraries, and no engine.
 */
const context = fileURLToPath(new URL("../../..", import.meta.url));
const confine = fileURLToPath(new URL("./contained.sh", import.meta.url));
const megabytes = (path: string) => execFileSync("du", ["-sm", path], { encoding: "utf8" }).split("\t")[0];

function confined(image: Image): [string, ...string[]] {
  const { uid, gid } = image.user;
  const [entrypoint = "", launcher = ""] = image.argv;
  return ["unshare", "--mount", "/bin/sh", confine, image.root, `${uid}:${gid}`, entrypoint, launcher];
}

async function work(image: Image): Promise<void> {
  await using postgres = await durablePostgres();
  const command = confined(image);
  const env = { ...image.env, PATH: process.env.PATH ?? "" };
  const shift = await workInProduction({ command, env, postgres, documents: "/remit/dist/documents" });
  assert.equal(shift.migrated.code, 0, shift.migrated.stderr);
  assert.equal(shift.ready, 200);
  assert.match(shift.decided.stdout, /"effect": "EFFECT_ALLOW"/);
  assert.equal(shift.reported.code, 0, shift.reported.stderr);
  assert.deepEqual([shift.served.code, /stopped/.test(shift.served.stderr)], [0, true], shift.served.stderr);
  console.log("it migrated, became ready, decided, reported and stopped on SIGTERM");

  const unconfigured = await remit(["serve"], { command, env });
  assert.equal(unconfigured.code, 78);
  for (const variable of ["REMIT_DATABASE_URL", "REMIT_KEY_ENCRYPTION_KEY"]) {
    assert.ok(unconfigured.stderr.includes(variable), unconfigured.stderr);
  }
  console.log("without its settings it ends with 78 and names them all");
}

const scratch = mkdtempSync(join(tmpdir(), "remit-image-"));
try {
  execFileSync("chmod", ["755", scratch]);
  const dockerfile = readFileSync(join(context, "services/cli/Dockerfile"), "utf8");
  const image = rehearse(dockerfile, { context, scratch, log: (line) => console.log(line) });
  console.log(`the image: ${megabytes(image.root)} MB, ${megabytes(join(image.root, "remit"))} of them Remit's`);
  for (const absent of ["bin/sh", "usr/bin", "usr/local/bin/npm", "usr/local/lib/node_modules", "remit/node_modules"]) {
    assert.equal(existsSync(join(image.root, absent)), false, `${absent} is in the image`);
  }
  assert.deepEqual(readdirSync(join(image.root, "usr/local/bin")), ["node"]);
  assert.ok(readdirSync(join(image.root, "var/lib/dpkg/status.d")).includes("libc6"));
  await work(image);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
