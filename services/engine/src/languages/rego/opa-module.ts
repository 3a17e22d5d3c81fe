import type { Steps } from "../../compile/steps.ts";
import type { JsonObject, JsonValue } from "../../json.ts";
import { meterModule } from "./meter-module.ts";
import { clearingFuel, importNames, type Limits, type OpaInstance, opaInstance } from "./opa-instance.ts";
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
  const instance = firstInstance(module, data);
  const { entrypoints, resetFuel } = instance;
  return {
    entrypoints: Object.keys(entrypoints),
    evaluate: (entrypoint, input, limits) => {
      const fuel = limits.fuel - resetFuel;
      if (fuel < 0) return { problem: OUT_OF_STEPS, exhausted: true, fuel: limits.fuel };
      try {
        const answered = instance.run(entrypoints[entrypoint] ?? -1, input, { ...limits, fuel });
        return { ...answered, fuel: Math.min(limits.fuel, answered.fuel + resetFuel) };
      } catch (error) {
        const stopped = stoppedAt(instance, fuel, error);
        return { ...stopped, fuel: Math.min(limits.fuel, stopped.fuel + resetFuel + clearingFuel) };
      }
    },
  };
}

const OUT_OF_STEPS = "it ran out of steps";

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

function stoppedAt(instance: OpaInstance, given: number, error: unknown): Extract<Evaluated, { problem: string }> {
  const left = instance.fuelLeft();
  const fuel = Math.min(given, Math.max(0, given - left));
  if (left < 0) return { problem: OUT_OF_STEPS, exhausted: true, fuel };
  const tooDeep = error instanceof RangeError || instance.stackLeft() < 0;
  return { problem: tooDeep ? "its calls are nested too deeply" : messageOf(error), exhausted: false, fuel };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
