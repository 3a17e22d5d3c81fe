// Generates gen/ from the .proto sources. With --check it generates elsewhere and fails on any difference, lints the
// sources and compares them with the published image, so that a wire break is a failed check and not a surprise.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const run = (command, ...args) => execFileSync(command, args, { cwd: here, stdio: "inherit" });
const buf = (...args) => run("buf", ...args);

buf("lint");
if (process.argv.includes("--check")) {
  const scratch = mkdtempSync(join(tmpdir(), "remit-gen-"));
  try {
    buf("breaking", "--against", "published.binpb");
    buf("generate", "-o", scratch);
    run("diff", "-r", join(scratch, "gen"), "gen");
    console.log("proto: lint, breaking change and generated code are in order");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
} else if (process.argv.includes("--publish")) {
  buf("breaking", "--against", "published.binpb");
  buf("build", "-o", "published.binpb");
} else {
  const scratch = mkdtempSync(join(tmpdir(), "remit-gen-"));
  buf("generate", "-o", scratch);
  rmSync(join(here, "gen"), { recursive: true, force: true });
  cpSync(join(scratch, "gen"), join(here, "gen"), { recursive: true });
  rmSync(scratch, { recursive: true, force: true });
}
