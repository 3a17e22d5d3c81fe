import type { Steps } from "../../compile/steps.ts";
import { type Counters, type FunctionType, meterFunction } from "./meter-function.ts";
import { ModuleProblem, type WasmReader, type WasmWriter, wasmReader, wasmWriter } from "./wasm-bytes.ts";

/** Names under which the metered module shows its counters, and its other mutable globals by number. */
export const fuelExport = "remit.fuel";
export const stackExport = "remit.stack";
export const globalExport = "remit.global.";

/** Fuel for what runs when the module is loaded: its start function and the parsing of its data. */
const loadFuel = 5_000_000;
/** 320 KiB of the engine's own stack, of about 980. */
export const stackSlots = 40_000;

const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const section = { custom: 0, type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, code: 10 } as const;
/** Metered in the time of one step of compiling. */
const bytesPerStep = 200;
const functionsMax = 20_000;

/** What of a module the metering needs to know. */
interface Shape {
  types: FunctionType[];
  functions: number[];
  /** Of the module's own globals, in order. */
  mutable: boolean[];
}

/**
 * The same module, counting every instruction that it runs: when `remit.fuel` is used up it traps, and likewise when
 * calls are nested so deeply that `remit.stack` is. Names and other custom sections are left out.
 *
 * @throws ModuleProblem for a module that is malformed or uses what cannot be counted.
 */
export function* meterModule(bytes: Uint8Array): Steps<Uint8Array> {
  const reader = wasmReader(bytes);
  for (const expected of magic) if (reader.byte() !== expected) throw new ModuleProblem("not a WebAssembly module");
  const shape: Shape = { types: [], functions: [], mutable: [] };
  const out = wasmWriter(bytes.length * 2);
  out.byte(...magic);
  let last = 0;
  while (!reader.ended()) {
    const id = reader.byte();
    const size = reader.u32();
    const from = reader.at();
    const part = reader.part(size);
    if (id === section.custom) continue;
    // The globals and exports must stand where they can be added to; a module without them is none of OPA's.
    for (const needed of [section.global, section.export]) {
      if (last < needed && id > needed && id !== 12) throw new ModuleProblem("the module has no globals or no exports");
    }
    if (id !== 12) last = id;
    out.byte(id);
    const metered = id === section.code ? yield* meterCode(part, shape) : rewrite(id, part, shape);
    const content = metered ?? reader.slice(from, from + size);
    out.u32(content.length);
    out.bytes(content);
  }
  return out.done();
}

function rewrite(id: number, part: WasmReader, shape: Shape): Uint8Array | undefined {
  switch (id) {
    case section.type:
      shape.types = readTypes(part);
      return undefined;
    case section.import:
      readImports(part);
      return undefined;
    case section.function:
      shape.functions = list(part, functionsMax, part.u32);
      return undefined;
    case section.memory:
      throw new ModuleProblem("the module has a memory of its own");
    case section.global:
      return withCounters(part, shape);
    case section.export:
      return withExports(part, shape);
    default:
      return undefined;
  }
}

function list<T>(part: WasmReader, max: number, read: () => T): T[] {
  const count = part.u32();
  if (count > max) throw new ModuleProblem(`a list of ${count} parts in the module, more than ${max}`);
  return Array.from({ length: count }, read);
}

function readTypes(part: WasmReader): FunctionType[] {
  return list(part, functionsMax, () => {
    if (part.byte() !== 0x60) throw new ModuleProblem("a type of the module is no function");
    const params = list(part, 1000, part.byte).length;
    const results = list(part, 1, part.byte);
    return { params, block: results[0] ?? 0x40 };
  });
}

function readImports(part: WasmReader): void {
  list(part, 1000, () => {
    part.name();
    part.name();
    const kind = part.byte();
    if (kind === 0) part.u32();
    else if (kind === 2) for (let limits = part.byte() === 1 ? 2 : 1; limits > 0; limits--) part.u32();
    else throw new ModuleProblem("the module imports a table or a global");
  });
}

function withCounters(part: WasmReader, shape: Shape): Uint8Array {
  const count = part.u32();
  const from = part.at();
  for (let index = 0; index < count; index++) {
    part.byte();
    shape.mutable.push(part.byte() === 1);
    readConstant(part);
  }
  const out = wasmWriter();
  out.u32(count + 2);
  out.bytes(part.slice(from, part.at()));
  for (const start of [loadFuel, stackSlots]) {
    out.byte(0x7f, 1, 0x41);
    out.i32(start);
    out.byte(0x0b);
  }
  return out.done();
}

/** A constant expression: one instruction and an end. */
function readConstant(part: WasmReader): void {
  const opcode = part.byte();
  if (opcode === 0x41 || opcode === 0x23) part.skipLeb(5);
  else if (opcode === 0x42) part.skipLeb(10);
  else if (opcode === 0x43 || opcode === 0x44) part.skip(opcode === 0x43 ? 4 : 8);
  else throw new ModuleProblem("a global of the module begins with what is no constant");
  if (part.byte() !== 0x0b) throw new ModuleProblem("a global of the module begins with what is no constant");
}

function countersOf({ mutable }: Shape): Counters {
  return { fuel: mutable.length, stack: mutable.length + 1 };
}

function withExports(part: WasmReader, shape: Shape): Uint8Array {
  const count = part.u32();
  const from = part.at();
  for (let index = 0; index < count; index++) {
    part.name();
    part.byte();
    part.u32();
  }
  const { fuel, stack } = countersOf(shape);
  const added: [string, number][] = [
    [fuelExport, fuel],
    [stackExport, stack],
  ];
  for (const [index, mutable] of shape.mutable.entries()) {
    if (mutable) added.push([`${globalExport}${index}`, index]);
  }
  const out = wasmWriter();
  out.u32(count + added.length);
  out.bytes(part.slice(from, part.at()));
  for (const [name, index] of added) exportGlobal(out, name, index);
  return out.done();
}

function exportGlobal(out: WasmWriter, name: string, index: number): void {
  out.name(name);
  out.byte(3);
  out.u32(index);
}

function* meterCode(part: WasmReader, shape: Shape): Steps<Uint8Array> {
  const counters = countersOf(shape);
  const count = part.u32();
  if (count !== shape.functions.length) throw new ModuleProblem("the module has more or fewer functions than it says");
  const out = wasmWriter(1024 * 1024);
  out.u32(count);
  for (const index of shape.functions) {
    const type = shape.types[index];
    if (!type) throw new ModuleProblem("a function of the module has no type");
    const body = meterFunction(part.part(part.u32()), type, counters);
    out.u32(body.length);
    out.bytes(body);
    yield body.length / bytesPerStep;
  }
  return out.done();
}
