import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** The release of OPA that the bundles of this repository are built with. */
export const opaVersion = "1.22.0";

const root = join(import.meta.dirname, "../../..");
const cache = join(root, "node_modules/.cache/remit-opa", opaVersion);

/** A bundle that the repository carries, and what it is made of. Paths are relative to the root. */
export interface Fixture {
  readonly source: string;
  readonly entrypoints: readonly string[];
  readonly bundle: string;
}

const hostile = ["echo", "loop", "hoard", "flood", "conflict", "host", "verb", "pattern", "facts"];
const tests = "services/engine/test/languages/rego";

export const fixtures: readonly Fixture[] = [
  {
    source: "services/cli/examples/languages/rego/payments.rego",
    entrypoints: ["payments/decisions"],
    bundle: "services/cli/examples/languages/rego/payments.tar.gz",
  },
  {
    source: `${tests}/hostile.rego`,
    entrypoints: hostile.map((name) => `hostile/${name}`),
    bundle: `${tests}/hostile.tar.gz`,
  },
  ...["rbac", "agents"].map((name) => ({
    source: `bench/engines/rego/${name}.rego`,
    entrypoints: [`${name}/allow`, `${name}/decisions`],
    bundle: `bench/engines/rego/${name}.tar.gz`,
  })),
  { source: `${tests}/reaching.rego`, entrypoints: ["reaching/decisions"], bundle: `${tests}/reaching.tar.gz` },
];

/** What stands beside a bundle, as JSON: who made it, how, and of what. Its name keeps it from being read as a document. */
export interface Made {
  readonly opa: string;
  /** Run in the bundle's folder. */
  readonly command: string;
  readonly sha256: Readonly<Record<string, string>>;
}

export function madePath({ bundle }: Fixture): string {
  return join(root, bundle.replace(/[^/]*$/, ""), `${basename(bundle)}.origin`);
}

export function madeOf(fixture: Fixture, folder = join(root, dirname(fixture.bundle))): Made {
  const { source, bundle } = fixture;
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return {
    opa: opaVersion,
    command: ["opa", ...buildArguments(fixture, basename(bundle))].join(" "),
    sha256: {
      [basename(source)]: digest(join(root, source)),
      [basename(bundle)]: digest(join(folder, basename(bundle))),
    },
  };
}

function buildArguments({ source, entrypoints }: Fixture, output: string): string[] {
  return ["build", "-t", "wasm", ...entrypoints.flatMap((name) => ["-e", name]), "-o", output, basename(source)];
}

/** OPA's program, if it has been built on this machine. */
export function builtOpa(): string | undefined {
  const program = join(cache, "opa");
  return existsSync(program) ? program : undefined;
}

/** OPA's program, built from its Go module if it is not there. Throws what is needed where that cannot be. */
export function buildOpa(): string {
  const there = builtOpa();
  if (there) return there;
  const go = ["go", "/usr/local/go/bin/go"].find((program) => answers(program));
  if (!go) {
    throw new Error(`OPA ${opaVersion} is built from its Go module, and there is no Go here: install Go 1.25 or later`);
  }
  mkdirSync(cache, { recursive: true });
  const env = { ...process.env, GOBIN: cache, CGO_ENABLED: "0" };
  execFileSync(go, ["install", `github.com/open-policy-agent/opa@v${opaVersion}`], { env, stdio: "inherit" });
  return join(cache, "opa");
}

function answers(program: string): boolean {
  try {
    execFileSync(program, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Compiles a fixture into a file. */
export function buildBundle(opa: string, fixture: Fixture, output: string): void {
  const cwd = resolve(root, dirname(fixture.source));
  execFileSync(opa, buildArguments(fixture, output), { cwd, stdio: ["ignore", "inherit", "inherit"] });
}

/** A fixture's bundle in the repository. */
export function bundlePath({ bundle }: Fixture): string {
  return join(root, bundle);
}
