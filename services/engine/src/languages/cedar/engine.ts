import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { compileFunction } from "node:vm";
import type * as CedarModule from "@cedar-policy/cedar-wasm/nodejs";

import { type WasmModule, webAssembly } from "../rego/web-assembly.ts";

export type CedarApi = typeof CedarModule;

/** Cedar's own code, and which instance of it: what was kept in one instance is not in another. */
interface Loaded {
  readonly api: CedarApi;
  readonly generation: number;
}

const require = createRequire(import.meta.url);

/** Beside the bundle of `remit`, else in the package. */
function modulePath(): string {
  const carried = fileURLToPath(new URL("./cedar/cedar_wasm.cjs", import.meta.url));
  return existsSync(carried) ? carried : require.resolve("@cedar-policy/cedar-wasm/nodejs");
}

const wasmPathOf = (path: string) => path.replace(/\.c?js$/, "_bg.wasm");

/** Runs the package's CommonJS, which reads and compiles a module of WebAssembly where it is loaded. */
type Glue = (exports: object, require: unknown, directory: string, webAssembly: unknown) => void;

/** Cedar's own code and what speaks to it, neither of them run yet. */
interface Prepared {
  readonly module: WasmModule;
  readonly glue: Glue;
}

const glueOf = (text: string, filename: string) =>
  compileFunction(text, ["exports", "require", "__dirname", "WebAssembly"], { filename }) as unknown as Glue;

let loaded: Loaded | undefined;
let generations = 0;
let prepared: Prepared | undefined;
let preparing: Promise<void> | undefined;

/**
 * Compiles Cedar's own code beside this thread, all of it, and has it practise in slices: loaded as it comes it would
 * hold this one for some tenths of a second, and again for each part that is used for the first time.
 */
export async function prepareCedar(pause: () => Promise<void>): Promise<void> {
  if (loaded) return;
  preparing ??= compileBeside()
    .then(() => practise(pause))
    .finally(() => {
      preparing = undefined;
    });
  await preparing;
}

async function compileBeside(): Promise<void> {
  const path = modulePath();
  const [text, bytes] = await Promise.all([readFile(path, "utf8"), readFile(wasmPathOf(path))]);
  setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    prepared ??= { module: await webAssembly.compile(bytes), glue: glueOf(text, path) };
  } finally {
    setFlagsFromString("--wasm-lazy-compilation");
  }
}

const practiceRounds = 24;
const practicePolicies = 8;

/** The machine makes its quick code for what has run often: before the first policies that count. */
async function practise(pause: () => Promise<void>): Promise<void> {
  for (let round = 0; round < practiceRounds; round++) {
    await pause();
    const policies = Array.from(
      { length: practicePolicies },
      (_, at) =>
        `permit (principal, action, resource) when { context.a.b == "${"x".repeat(20 * round)}" && ${at} > 1 };`,
    );
    withCedar(({ api }) => api.preparsePolicySet("practice", { staticPolicies: policies.join("\n") }));
  }
  await pause();
}

function readHere(): Prepared {
  const path = modulePath();
  return {
    module: new webAssembly.Module(readFileSync(wasmPathOf(path))),
    glue: glueOf(readFileSync(path, "utf8"), path),
  };
}

/** A fresh instance. Its loader would read and compile: it is given what was made of that. */
function load(): CedarApi {
  prepared ??= readHere();
  const { module, glue } = prepared;
  const exports = {};
  const files = { readFileSync: () => undefined };
  const made = {
    Instance: webAssembly.Instance,
    Module: function Made() {
      return module;
    },
  };
  glue(exports, () => files, "", made);
  return exports as CedarApi;
}

/** What Cedar's code threw, which it does only when it has broken down: every refusal of its own is an answer. */
export class CedarBreakdown extends Error {}

/**
 * Runs something with Cedar's code, which is loaded when it is first needed. If it breaks down, as it does where its
 * stack overflows, its memory is in no known state: the next one gets a fresh instance.
 *
 * @throws CedarBreakdown
 */
export function withCedar<T>(run: (loaded: Loaded) => T): T {
  loaded ??= { api: load(), generation: ++generations };
  try {
    return run(loaded);
  } catch (error) {
    loaded = undefined;
    throw new CedarBreakdown(error instanceof Error ? error.message : String(error));
  }
}

/** A name under which an instance keeps a set of policies; it is used again once its owner is gone. */
const freeNames: string[] = [];
let names = 0;
const owners = new FinalizationRegistry<string>((name) => freeNames.push(name));

export function nameFor(owner: object): string {
  const name = freeNames.pop() ?? `set${++names}`;
  owners.register(owner, name);
  return name;
}
