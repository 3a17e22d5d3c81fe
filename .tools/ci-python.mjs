// Tests the Python SDK in a virtual environment that is gone afterwards: installs it as pip does, compares the
// generated messages, lints, checks types and runs its tests against a service of this checkout. Needs Python 3.10 or
// later and a package index; nothing else here needs either. `npm run python` runs it alone.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const home = resolve(import.meta.dirname, "../sdk-python-stub");
const enough = "import ensurepip, sys, venv; sys.exit(0 if sys.version_info >= (3, 10) else 1)";

/** The name of a Python that will do, or undefined. */
export const python = ["python3", "python"].find((name) => spawnSync(name, ["-c", enough]).status === 0);

/** Counts of a JUnit report; a report that is not there is one failure. */
function counts(file) {
  try {
    const [suite] = /<testsuite [^>]*>/.exec(readFileSync(file, "utf8")) ?? [""];
    const of = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? Number.NaN);
    const failed = of("failures") + of("errors");
    const passed = of("tests") - failed - of("skipped");
    return { passed, failed: passed > 0 ? failed + of("skipped") : failed + 1 };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** Runs a command and says whether it ended well. */
const plainly = (options, command, ...args) =>
  spawnSync(command, args, { ...options, stdio: ["ignore", "inherit", "inherit"] }).status === 0;

/** Runs everything; answers how many tests passed and failed, each check counting as one. */
export function testPython(runWith = plainly) {
  const scratch = mkdtempSync(join(tmpdir(), "remit-python-"));
  const bin = join(scratch, "venv/bin");
  const env = {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: "1",
    MYPY_CACHE_DIR: join(scratch, "mypy"),
    RUFF_NO_CACHE: "true",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
  };
  const run = (command, ...args) => runWith({ cwd: home, env }, command, ...args);
  const tool = (name, ...args) => run(join(bin, name), ...args);
  try {
    const pip = () => tool("python", "-m", "pip", "install", "-q", "-r", "requirements-dev.txt", ".");
    if (!run(python, "-m", "venv", join(scratch, "venv")) || !pip()) {
      console.error("the virtual environment could not be made: what was said stands above");
      return { passed: 0, failed: 1 };
    }
    const checks = [
      tool("python", "tools/generate.py", "--check"),
      tool("ruff", "check", "."),
      tool("ruff", "format", "--check", "."),
      tool("mypy"),
    ];
    const report = join(scratch, "tests.xml");
    const tested = tool("pytest", "-q", "-p", "no:cacheprovider", `--junit-xml=${report}`);
    const { passed, failed } = counts(report);
    const good = checks.filter(Boolean).length;
    return { passed: passed + good, failed: failed + checks.length - good + (tested || failed > 0 ? 0 : 1) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (python === undefined) {
    console.error("the Python SDK is tested with Python 3.10 or later, and there is none: install python3");
    process.exit(2);
  }
  const { passed, failed } = testPython();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
