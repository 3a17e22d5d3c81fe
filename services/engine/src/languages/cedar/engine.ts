import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import type * as CedarModule from "@cedar-policy/cedar-wasm/nodejs";

import { type WasmModule, webAssembly } from "../rego/web-assembly.ts";

export type CedarApi = typeof CedarModule;

/** Cedar's own code, and which instance of it: what was kept in one instance is not in another. */
interface Loaded {
  readonly api: CedarApi;
  readonly generation: number;
}

const require = createRequire(import.meta.url);

/** Beside the bundle of `remit`, else in the package. CommonJS in both places: it finds its module beside itself. */
function modulePath(): string {
  const carried = fileURLToPath(new URL("./cedar/cedar_wasm.cjs", import.meta.url));
  return existsSync(carried) ? carried : require.resolve("@cedar-policy/cedar-wasm/nodejs");
}

let loaded: Loaded | undefined;
let generations = 0;
/** Cedar's own code, compiled off this thread; absent where nobody waited for that. */
let compiled: WasmModule | undefined;
let preparing: Promise<void> | undefined;

/**
 * Compiles Cedar's own code beside this thread, all of it: loaded as it comes it would hold this one for some tenths of a
 * second, and again for each part that is used for the first time.
 */
export function prepareCedar(): Promise<void> {
  if (loaded || compiled) return Promise.resolve();
  preparing ??= compileBeside().finally(() => {
    preparing = undefined;
  });
  return preparing;
}

async function compileBeside(): Promise<void> {
  const bytes = await readFile(modulePath().replace(/\.c?js$/, "_bg.wasm"));
  setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    compiled = await webAssembly.compile(bytes);
  } finally {
    setFlagsFromString("--wasm-lazy-compilation");
  }
}

/** Its loader compiles what it reads; where that is done, it is given what was made. */
function load(path: string): CedarApi {
  if (!compiled) return require(path) as CedarApi;
  const made = compiled;
  const { Module } = webAssembly;
  // Its own code alone runs until this is taken back.
  Object.assign(webAssembly, {
    Module: function Made() {
      return made;
    },
  });
  try {
    return require(path) as CedarApi;
  } finally {
    webAssembly.Module = Module;
  }
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
  const path = modulePath();
  loaded ??= { api: load(path), generation: ++generations };
  try {
    return run(loaded);
  } catch (error) {
    loaded = undefined;
    delete require.cache[path];
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
