import type { Steps } from "../../compile/steps.ts";
import type { JsonObject, JsonValue } from "../../json.ts";
import { meterModule } from "./meter-module.ts";
import { importNames, type Limits, type OpaInstance, opaInstance } from "./opa-instance.ts";
import { ModuleProblem } from "./wasm-bytes.ts";
import { type WasmModule, webAssembly } from "./web-assembly.ts";

/** What came of an evaluation: Rego's result (undefined where that is), or why there is none; and the fuel it took. */
export type Evaluated = { readonly fuel: number } & (
  | { readonly result: JsonValue | undefined }
  | { readonly problem: string; readonly exhausted: boolean }
);

/** Of compiling a module and of making an instance, in the unit of {@link Steps}. */
const loadingCost = 200;

/** A compiled bundle. It keeps nothing from one evaluation to the next. */
export interface OpaModule {
  readonly entrypoints: readonly string[];
  /** Evaluates an entrypoint on an input, JSON in UTF-8. Does not throw. */
  readonly evaluate: (entrypoint: string, input: Uint8Array, limits: Limits) => Evaluated;
}

/** Loads the module of a bundle. @throws ModuleProblem for what is none of OPA's, or asks for builtins it cannot have. */
export function* loadOpaModule(bytes: Uint8Array, data: JsonObject): Steps<OpaModule> {
  const module = compileModule(yield* meterModule(bytes));
  yield loadingCost;
  let instance: OpaInstance | undefined = firstInstance(module, data);
  const { entrypoints } = instance;
  return {
    entrypoints: Object.keys(entrypoints),
    evaluate: (entrypoint, input, limits) => {
      try {
        instance ??= opaInstance(module, data);
        return instance.run(entrypoints[entrypoint] ?? -1, input, limits);
      } catch (error) {
        const stopped = stoppedAt(instance, limits, error);
        // Whatever state it stopped in goes with it.
        instance = undefined;
        return stopped;
      }
    },
  };
}

function compileModule(metered: Uint8Array): WasmModule {
  let module: WasmModule;
  try {
    module = new webAssembly.Module(metered);
  } catch (error) {
    throw new ModuleProblem(`the module is not valid: ${messageOf(error)}`);
  }
  for (const { module: from, name } of webAssembly.Module.imports(module)) {
    if (from !== "env" || !importNames.includes(name)) {
      throw new ModuleProblem(`the module imports ${from}.${name}, which no bundle of OPA does`);
    }
  }
  return module;
}

function firstInstance(module: WasmModule, data: JsonObject): OpaInstance {
  try {
    return opaInstance(module, data);
  } catch (error) {
    if (error instanceof ModuleProblem) throw error;
    throw new ModuleProblem(`the module cannot be loaded: ${messageOf(error)}`);
  }
}

function stoppedAt(instance: OpaInstance | undefined, limits: Limits, error: unknown): Evaluated {
  const left = instance?.fuelLeft() ?? 0;
  const fuel = Math.min(limits.fuel, Math.max(0, limits.fuel - left));
  if (left < 0) return { problem: "it ran out of steps", exhausted: true, fuel };
  const tooDeep = error instanceof RangeError || (instance?.stackLeft() ?? 0) < 0;
  return { problem: tooDeep ? "its calls are nested too deeply" : messageOf(error), exhausted: false, fuel };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
