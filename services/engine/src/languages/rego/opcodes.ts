import { ModuleProblem, type WasmReader } from "./wasm-bytes.ts";

/** Opcodes that shape the flow of a function; every other one runs straight on. */
export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32LtS: 0x48,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  emptyBlock: 0x40,
} as const;

type Immediate = (reader: WasmReader) => void;

const none: Immediate = () => {};
const index: Immediate = (reader) => reader.skipLeb(5);
const twoIndexes: Immediate = (reader) => {
  reader.skipLeb(5);
  reader.skipLeb(5);
};
const zeroByte: Immediate = (reader) => {
  if (reader.byte() !== 0) throw new ModuleProblem("the module uses a second memory");
};

/**
 * What follows each opcode: those of WebAssembly 1.0 and the sign extensions, which is what OPA's compiler emits.
 * Anything else (bulk memory, vectors, threads, tail calls, exceptions) is refused: work that one instruction could do
 * without bound would not be counted.
 */
const immediates = new Map<number, Immediate>([
  [op.unreachable, none],
  [0x01, none],
  [op.block, index],
  [op.loop, index],
  [op.if, index],
  [op.else, none],
  [op.end, none],
  [op.br, index],
  [op.brIf, index],
  [
    op.brTable,
    (reader) => {
      for (let count = reader.u32(); count >= 0; count--) reader.skipLeb(5);
    },
  ],
  [op.return, none],
  [op.call, index],
  [op.callIndirect, twoIndexes],
  [0x1a, none],
  [0x1b, none],
  ...range(0x20, 0x24, index),
  ...range(0x28, 0x3e, twoIndexes),
  [0x3f, zeroByte],
  [0x40, zeroByte],
  [0x41, (reader) => reader.skipLeb(5)],
  [0x42, (reader) => reader.skipLeb(10)],
  [0x43, (reader) => reader.skip(4)],
  [0x44, (reader) => reader.skip(8)],
  ...range(0x45, 0xc4, none),
]);

function range(from: number, to: number, immediate: Immediate): [number, Immediate][] {
  return Array.from({ length: to - from + 1 }, (_, offset) => [from + offset, immediate]);
}

/** Passes over what follows an opcode. */
export function skipImmediate(opcode: number, reader: WasmReader): void {
  const immediate = immediates.get(opcode);
  if (!immediate) throw new ModuleProblem(`the module uses the instruction 0x${opcode.toString(16)}`);
  immediate(reader);
}
