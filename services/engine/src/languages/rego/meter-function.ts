import { op, skipImmediate } from "./opcodes.ts";
import { ModuleProblem, type WasmReader, type WasmWriter, wasmWriter } from "./wasm-bytes.ts";

/** Which globals of the metered module count. */
export interface Counters {
  /** Instructions that may still run. */
  readonly fuel: number;
  /** Slots of 8 bytes that calls may still take. */
  readonly stack: number;
}

/** The type of a function: how many parameters, and its one result or none. */
export interface FunctionType {
  readonly params: number;
  /** The byte of a block's type that gives the same. */
  readonly block: number;
}

/** A run of instructions this long looks at once whether it may run; a shorter one only where a loop or call begins. */
const uncheckedMax = 64;
/** What a call takes beside its parameters and locals, in slots: a generous guess at the engine's own frame. */
const frameSlots = 24;
const localsMax = 10_000;

/**
 * One function's body with counters in it: every run of straight instructions takes as many units of fuel before it
 * begins, every call that can call again takes its slots of the stack and gives them back. Below zero the function
 * traps. What is counted depends on nothing but the instructions that run.
 */
export function meterFunction(body: WasmReader, type: FunctionType, counters: Counters): Uint8Array {
  const start = body.at();
  let locals = 0;
  for (let groups = body.u32(); groups > 0; groups--) {
    locals += body.u32();
    body.byte();
    if (locals > localsMax) throw new ModuleProblem(`a function of the module has more than ${localsMax} locals`);
  }
  const code = wasmWriter((body.at() - start) * 2 + 1024);
  code.bytes(body.slice(start, body.at()));
  const slots = frameSlots + type.params + locals;
  take(code, counters.stack, slots, true);
  code.byte(op.block, type.block);
  meterInstructions(body, code, counters.fuel);
  code.byte(op.end);
  code.byte(op.globalGet);
  code.u32(counters.stack);
  code.byte(op.i32Const);
  code.i32(slots);
  code.byte(op.i32Add, op.globalSet);
  code.u32(counters.stack);
  code.byte(op.end);
  return code.done();
}

/** Takes from a counter, and traps below zero if that is to be looked at. */
function take(code: WasmWriter, counter: number, amount: number, checked: boolean): void {
  code.byte(op.globalGet);
  code.u32(counter);
  code.byte(op.i32Const);
  code.i32(amount);
  code.byte(op.i32Sub, op.globalSet);
  code.u32(counter);
  if (!checked) return;
  code.byte(op.globalGet);
  code.u32(counter);
  code.byte(op.i32Const, 0, op.i32LtS, op.if, op.emptyBlock, op.unreachable, op.end);
}

/** Copies instructions up to the function's own end, which is left out. */
function meterInstructions(body: WasmReader, code: WasmWriter, fuel: number): void {
  // Blocks that are open, the function's own not counted.
  let depth = 0;
  let segment = { from: body.at(), cost: 0, entry: true };
  const close = (to: number) => {
    if (segment.cost > 0) take(code, fuel, segment.cost, segment.entry || segment.cost > uncheckedMax);
    code.bytes(body.slice(segment.from, to));
  };
  for (;;) {
    const at = body.at();
    const opcode = body.byte();
    segment.cost++;
    skipImmediate(opcode, body);
    switch (opcode) {
      case op.return:
        // Leaves through the block that surrounds the function, so that it gives back what it took of the stack.
        close(at);
        code.byte(op.br);
        code.u32(depth);
        segment = { from: body.at(), cost: 0, entry: false };
        continue;
      case op.block:
        depth++;
        continue;
      case op.end:
        if (depth === 0) {
          close(at);
          if (!body.ended()) throw new ModuleProblem("a function of the module goes on after its end");
          return;
        }
        depth--;
        break;
      case op.loop:
      case op.if:
        depth++;
        break;
      case op.else:
      case op.br:
      case op.brIf:
      case op.brTable:
      case op.unreachable:
        break;
      default:
        continue;
    }
    close(body.at());
    segment = { from: body.at(), cost: 0, entry: opcode === op.loop };
  }
}
