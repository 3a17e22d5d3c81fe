import type { JsonObject, JsonValue } from "../../json.ts";
import { hostFunctions } from "./host-functions.ts";
import { fuelExport, globalExport, stackExport, stackSlots } from "./meter-module.ts";
import { ModuleProblem } from "./wasm-bytes.ts";
import { type WasmGlobal, type WasmModule, webAssembly } from "./web-assembly.ts";

/**
 * 3 MiB: all of it at once, so that no call finds more or less room than another did. Clearing what was never touched, the
 * machine has to find each page first: 16 MiB held the thread for 7 ms.
 */
const memoryPages = 48;
const answerBytesMax = 8 * 1024;
/** What a call of a host function costs, and each character that goes in or out. */
const hostFuel = 2_000;
const hostFuelPerChar = 20;
/** For asking the module where its heap ends, which no policy pays for. */
const upkeepFuel = 1_000;
/** Copied in about the time of one instruction, where it is not in the processor's cache. */
const resetBytesPerFuel = 4;
/** Cleared in about the time of one instruction. */
const clearedBytesPerFuel = 16;
/** The same where the machine has yet to find the memory. */
const touchedBytesPerFuel = 2;
/** What an evaluation costs that has thrown: all of its memory is cleared after it. */
export const clearingFuel = (memoryPages * 65_536) / touchedBytesPerFuel;

export interface Limits {
  /** Instructions. */
  readonly fuel: number;
  readonly nowNs: bigint;
}

export interface Answered {
  /** Undefined where Rego's result is. */
  readonly result: JsonValue | undefined;
  /** What was used of it. */
  readonly fuel: number;
}

/** A module in a memory of its own. */
export interface OpaInstance {
  readonly entrypoints: Readonly<Record<string, number>>;
  /** What every evaluation costs before it begins: putting the memory back to what was loaded. */
  readonly resetFuel: number;
  /** Throws where the module does; the next one finds everything as it was loaded all the same. */
  readonly run: (entrypoint: number, input: Uint8Array, limits: Limits) => Answered;
  readonly fuelLeft: () => number;
  readonly stackLeft: () => number;
}

export const importNames = [
  "memory",
  "opa_abort",
  "opa_println",
  ...[0, 1, 2, 3, 4].map((count) => `opa_builtin${count}`),
];

type Call = (...args: readonly number[]) => number;

interface Exported {
  readonly opa_eval: Call;
  readonly opa_malloc: Call;
  readonly opa_json_parse: Call;
  readonly opa_json_dump: Call;
  readonly opa_heap_ptr_get: Call;
  readonly builtins: Call;
  readonly entrypoints: Call;
  readonly fuel: { value: number };
  readonly stack: { value: number };
  readonly globals: readonly WasmGlobal[];
}

interface Memory {
  /** The bytes as they are now: where the module asks for more, and gets none, what was seen before is detached. */
  readonly view: () => Uint8Array;
  readonly text: (address: number) => string;
  readonly json: (address: number) => JsonValue;
}

/** Loads a module, whose imports and builtins are checked here, with its data. */
export function opaInstance(module: WasmModule, data: JsonObject): OpaInstance {
  const wasm = new webAssembly.Memory({ initial: memoryPages, maximum: memoryPages });
  const memory = memoryOf(wasm);
  const builtins = new Map<number, string>();
  const host = { nowNs: 0n };
  const builtin: Call = (id = 0, _context, ...args) => {
    const run = hostFunctions.get(builtins.get(id) ?? "");
    if (!run) throw new Error(`the builtin ${id} is not to be had`);
    const values = args.map((address) => memory.json(exported.opa_json_dump(address)));
    const answer = run(values, host);
    exported.fuel.value -= hostFuel + hostFuelPerChar * (answer.length + JSON.stringify(values).length);
    if (exported.fuel.value < 0) throw new Error("out of fuel");
    return writeJson(answer, exported, memory);
  };
  const imports: Record<string, unknown> = { memory: wasm, opa_println: () => {} };
  imports.opa_abort = (address: number) => {
    throw new Error(memory.text(address));
  };
  for (const name of importNames) if (name.startsWith("opa_builtin")) imports[name] = builtin;
  const exported = exportsOf(new webAssembly.Instance(module, { env: imports }));
  for (const [name, id] of Object.entries(numbers(memory.json(exported.opa_json_dump(exported.builtins()))))) {
    if (!hostFunctions.has(name)) throw new ModuleProblem(`the bundle uses the builtin ${name}`);
    builtins.set(id, name);
  }
  const entrypoints = numbers(memory.json(exported.opa_json_dump(exported.entrypoints())));
  const run = runner(exported, memory, writeJson(JSON.stringify(data), exported, memory));
  return {
    entrypoints,
    resetFuel: Math.ceil((exported.opa_heap_ptr_get() >>> 0) / resetBytesPerFuel),
    fuelLeft: () => exported.fuel.value,
    stackLeft: () => exported.stack.value,
    run: (entrypoint, input, limits) => {
      host.nowNs = limits.nowNs;
      return run(entrypoint, input, limits.fuel);
    },
  };
}

/** Evaluates on what was loaded, as it was when it was loaded: what a call finds, and costs, is no other call's doing. */
function runner(exported: Exported, memory: Memory, data: number) {
  const base = exported.opa_heap_ptr_get() >>> 0;
  const kept = memory.view().slice(0, base);
  const globals = exported.globals.map((global) => ({ global, value: global.value }));
  let end = base;
  return (entrypoint: number, input: Uint8Array, fuel: number): Answered => {
    exported.fuel.value = fuel;
    exported.stack.value = stackSlots;
    const bytes = memory.view();
    bytes.set(kept);
    bytes.fill(0, base, end);
    for (const { global, value } of globals) global.value = value;
    // Where it throws, nobody knows how far it has written.
    end = bytes.length;
    const heap = base + input.length;
    if (heap > bytes.length) throw new RangeError("the input is too large");
    bytes.set(input, base);
    // The arguments of ABI 1.2: reserved, entrypoint, data, input and its length, the heap, and 0 for JSON.
    const answer = exported.opa_eval(0, entrypoint, data, base, input.length, heap, 0) >>> 0;
    const left = exported.fuel.value;
    exported.fuel.value = upkeepFuel;
    end = Math.min(bytes.length, Math.max(heap, exported.opa_heap_ptr_get() >>> 0));
    exported.fuel.value = left;
    const results = memory.json(answer);
    const [first] = Array.isArray(results) ? (results as readonly JsonObject[]) : [];
    return { result: first?.result, fuel: fuel - left + Math.ceil((end - base) / clearedBytesPerFuel) };
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

function memoryOf(wasm: { readonly buffer: ArrayBuffer }): Memory {
  let bytes = new Uint8Array(wasm.buffer);
  const view = () => {
    if (bytes.buffer !== wasm.buffer) bytes = new Uint8Array(wasm.buffer);
    return bytes;
  };
  const text = (address: number) => {
    const from = address >>> 0;
    const answer = view().subarray(from, from + answerBytesMax);
    const end = answer.indexOf(0);
    if (end < 0) throw new Error(`its answer is larger than ${answerBytesMax} bytes`);
    return decoder.decode(answer.subarray(0, end));
  };
  return { view, text, json: (address) => JSON.parse(text(address)) as JsonValue };
}

function writeJson(text: string, exported: Exported, { view }: Memory): number {
  const encoded = encoder.encode(text);
  const address = exported.opa_malloc(encoded.length) >>> 0;
  const bytes = view();
  if (address + encoded.length > bytes.length) throw new Error("its memory is full");
  bytes.set(encoded, address);
  const parsed = exported.opa_json_parse(address, encoded.length);
  if (parsed === 0) throw new Error("JSON that the module cannot read");
  return parsed;
}

function exportsOf({ exports }: { readonly exports: Readonly<Record<string, unknown>> }): Exported {
  const call = (name: string): Call => {
    const value = exports[name];
    if (typeof value !== "function") throw new ModuleProblem(`the module does not export ${name}`);
    return value as Call;
  };
  const global = (name: string): WasmGlobal => {
    const value = exports[name];
    if (!(value instanceof webAssembly.Global)) throw new ModuleProblem(`the module does not export ${name}`);
    return value;
  };
  const versions = ["opa_wasm_abi_version", "opa_wasm_abi_minor_version"].map((name) => Number(global(name).value));
  if (versions[0] !== 1 || (versions[1] ?? 0) < 2) {
    throw new ModuleProblem(`the module speaks ABI ${versions.join(".")}, and 1.2 is needed`);
  }
  return {
    opa_eval: call("opa_eval"),
    opa_malloc: call("opa_malloc"),
    opa_json_parse: call("opa_json_parse"),
    opa_json_dump: call("opa_json_dump"),
    opa_heap_ptr_get: call("opa_heap_ptr_get"),
    builtins: call("builtins"),
    entrypoints: call("entrypoints"),
    fuel: global(fuelExport) as { value: number },
    stack: global(stackExport) as { value: number },
    globals: Object.keys(exports)
      .filter((name) => name.startsWith(globalExport))
      .map(global),
  };
}

function numbers(value: JsonValue): Readonly<Record<string, number>> {
  return value as Readonly<Record<string, number>>;
}
