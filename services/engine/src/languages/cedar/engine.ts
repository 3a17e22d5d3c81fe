import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as CedarModule from "@cedar-policy/cedar-wasm/nodejs";

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
  loaded ??= { api: require(path) as CedarApi, generation: ++generations };
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
