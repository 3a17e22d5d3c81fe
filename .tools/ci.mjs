// The steps of .ci/run after the install, on the pinned Node. Every step runs; the last line counts the tests, and a
// step that failed beside them counts as one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { python, testPython } from "./ci-python.mjs";

const scratch = mkdtempSync(join(tmpdir(), "remit-ci-"));
const results = join(scratch, "tests.json");
const pinned = `v${readFileSync(".node-version", "utf8").trim()}`;
let passed = 0;
let failed = 0;

function step(name, work) {
  const startedMs = performance.now();
  console.log(`\n== ${name}`);
  let good = false;
  try {
    good = work();
  } catch (error) {
    console.error(error);
  }
  console.log(`== ${name}: ${good ? "passed" : "FAILED"} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  if (good) passed++;
  else failed++;
}

/** A step for which not every machine has what it needs. Where CI runs it has to be there. */
function needing(name, what, there, work) {
  if (there || process.env.CI) step(name, () => (there ? work() : console.error(`this step needs ${what}`)));
  else console.log(`\n== ${name}: not run, since it needs ${what}`);
}

const isRoot = process.platform === "linux" && process.getuid() === 0;
const run = (command, ...args) => spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
const hasGo =
  spawnSync("go", ["version"]).status === 0 && spawnSync("python3", ["-m", "pip", "--version"]).status === 0;
const git = (...args) => spawnSync("git", args, { encoding: "utf8" }).stdout.trim();

step(`scripts run on Node ${pinned}`, () => {
  const seen = spawnSync("node", ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`this process ${process.version}, what it spawns ${seen}`);
  return process.version === pinned && seen === pinned;
});

step("the lock names no addresses and every optional platform", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const addresses = Object.entries(packages).filter(([, entry]) => /^[a-z+]+:\/\//.test(entry.resolved ?? ""));
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    ),
  );
  for (const [path] of addresses) console.error(`${path} has an address`);
  for (const name of missing) console.error(`${name} is named and not in the lock`);
  return addresses.length === 0 && missing.length === 0;
});

const before = git("status", "--porcelain");
step("types, lint, unused code, unit tests", () => run("npm", "run", "--silent", "check"));
step("generated code is what the sources give", () => run("npm", "run", "--silent", "gen:check"));
step("generators and fixers leave no difference", () => {
  if (!run("npm", "run", "--silent", "gen") || !run("npm", "run", "--silent", "fix")) return false;
  const after = git("status", "--porcelain");
  if (after !== before) console.error(after);
  return after === before;
});
step("build", () => run("npm", "run", "--silent", "build"));
step("what is published installs into an empty folder and works on the oldest Node", () =>
  run("node", ".tools/published.mjs"),
);
needing("the image, rehearsed and confined", "root on Linux, for mount namespaces", isRoot, () =>
  run("node", "services/cli/image/check.ts"),
);
needing("the chart: linted, rendered with Helm, held against two versions of Kubernetes", "Go and pip", hasGo, () =>
  run("npm", "run", "--silent", "chart"),
);
needing("the Python SDK", "Python 3.10 or later and a package index", python !== undefined, () => {
  const counted = testPython();
  passed += counted.passed;
  failed += counted.failed;
  return counted.failed === 0;
});
step("the demo", () => run("npm", "run", "--silent", "demo"));

console.log("\n== npm test");
const tests = spawnSync(
  "npm",
  ["test", "--silent", "--", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`],
  { stdio: ["ignore", "inherit", "inherit"] },
);
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(results, "utf8"));
  passed += numPassedTests;
  failed += numFailedTests;
  // A file that could not be loaded has no tests that failed.
  if (numFailedTests === 0 && (numFailedTestSuites > 0 || tests.status !== 0)) failed++;
  if (numPassedTests === 0) failed++;
} catch (error) {
  console.error("the test run left no result", error);
  failed++;
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
