// The steps of .ci/run after the install, on the pinned Node. Every step runs; the last lines name what failed, since
// often only they are kept, and count the tests, where a step that failed beside them counts as one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { python, testPython } from "./ci-python.mjs";

const scratch = mkdtempSync(join(tmpdir(), "remit-ci-"));
const results = join(scratch, "tests.json");
const pinned = `v${readFileSync(".node-version", "utf8").trim()}`;
/** The names of what failed, with the last lines that it said. */
const failures = [];
/** For each step the file that has what it said. */
const saidBy = [];
let passed = 0;
let failed = 0;

function step(name, work) {
  const startedMs = performance.now();
  console.log(`\n== ${name}`);
  saidBy.push(join(scratch, `${saidBy.length}.log`));
  let good = false;
  try {
    good = work();
  } catch (error) {
    console.error(error);
  }
  console.log(`== ${name}: ${good ? "passed" : "FAILED"} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  if (good) passed++;
  else {
    failed++;
    failures.push(`${name}\n${lastWords(saidBy.at(-1))}`);
  }
}

/** The last lines of a file that are not about what went well. */
function lastWords(file) {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const telling = lines.filter((line) => line.trim() !== "" && !line.includes("\u2713"));
  return telling
    .slice(-30)
    .map((line) => `  ${line}\n`)
    .join("");
}

/** A step for which not every machine has what it needs. Where CI runs it has to be there. */
function needing(name, what, there, work) {
  if (there || process.env.CI) step(name, () => (there ? work() : console.error(`this step needs ${what}`)));
  else console.log(`\n== ${name}: not run, since it needs ${what}`);
}

const isRoot = process.platform === "linux" && process.getuid() === 0;
const keeping = ["-o", "pipefail", "-c", '"$@" 2>&1 | tee -a "$0"'];
/** Runs a command; what it says is printed, and kept for the end in case that it fails. */
const runWith = (options, command, ...args) =>
  spawnSync("bash", [...keeping, saidBy.at(-1), command, ...args], {
    ...options,
    stdio: ["ignore", "inherit", "inherit"],
  }).status === 0;
const run = (command, ...args) => runWith({}, command, ...args);
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
  const counted = testPython(runWith);
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
  const { numPassedTests, numFailedTests, numFailedTestSuites, testResults } = JSON.parse(
    readFileSync(results, "utf8"),
  );
  passed += numPassedTests;
  failed += numFailedTests;
  // A file that could not be loaded has no tests that failed, and what nobody caught is of no test.
  if (numFailedTests === 0 && (numFailedTestSuites > 0 || tests.status !== 0)) failed++;
  if (numPassedTests === 0) failed++;
  for (const { name, assertionResults } of testResults) {
    const wrong = assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName } of wrong) failures.push(`${relative(process.cwd(), name)}: ${fullName}`);
  }
  if (tests.status !== 0) failures.push(`npm test ended with ${tests.status ?? tests.signal}`);
} catch (error) {
  console.error("the test run left no result", error);
  failed++;
  failures.push("npm test left no result");
}
rmSync(scratch, { recursive: true, force: true });
for (const name of failures) console.log(`FAILED: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
