import { describe, expect, it } from "vitest";
import { finish } from "../../compile/steps.ts";
import { fuelExport, meterModule, stackExport, stackSlots } from "./meter-module.ts";
import { ModuleProblem } from "./wasm-bytes.ts";
import { webAssembly } from "./web-assembly.ts";

const leb = (value: number) => (value < 128 ? [value] : [(value % 128) | 128, value >> 7]);
const section = (id: number, ...content: number[]) => [id, ...leb(content.length), ...content];
const text = (value: string) => [value.length, ...Buffer.from(value)];
const body = (...code: number[]) => [...leb(code.length + 1), 0, ...code];

/** A module of functions without parameters, each of type 0 (nothing) or 1 (an i32), exported as f0, f1, … */
function moduleOf(
  functions: readonly { type: 0 | 1; code: number[] }[],
  more: { start?: number; memory?: boolean } = {},
) {
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f),
    ...section(2, 1, ...text("env"), ...text("memory"), 2, 0, 1),
    ...section(3, functions.length, ...functions.map(({ type }) => type)),
    ...(more.memory ? section(5, 1, 0, 1) : []),
    ...section(6, 1, 0x7f, 1, 0x41, 5, 0x0b),
    ...section(7, functions.length, ...functions.flatMap((_, index) => [...text(`f${index}`), 0, index])),
    ...(more.start === undefined ? [] : section(8, more.start)),
    ...section(10, functions.length, ...functions.flatMap(({ code }) => body(...code))),
  ]);
}

interface Running {
  readonly call: (index: number, fuel: number) => unknown;
  readonly fuel: () => number;
  readonly stack: () => number;
}

function run(bytes: Uint8Array): Running {
  const memory = new webAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new webAssembly.Module(finish(meterModule(bytes)));
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  const [fuel, stack] = [fuelExport, stackExport].map((name) => exports[name] as { value: number });
  if (!fuel || !stack) throw new Error("no counters");
  return {
    call: (index, amount) => {
      fuel.value = amount;
      stack.value = stackSlots;
      return (exports[`f${index}`] as () => unknown)();
    },
    fuel: () => fuel.value,
    stack: () => stack.value,
  };
}

const end = 0x0b;

describe("a metered module", () => {
  const { call, fuel, stack } = run(
    moduleOf([
      // A loop that never ends.
      { type: 0, code: [0x03, 0x40, 0x0c, 0, end, end] },
      // A function that calls itself.
      { type: 0, code: [0x10, 1, end] },
      // One that returns from within two blocks.
      { type: 1, code: [0x02, 0x40, 0x41, 1, 0x04, 0x40, 0x41, 7, 0x0f, end, end, 0x41, 8, end] },
      // One that branches out of itself by its own label.
      { type: 1, code: [0x41, 9, 0x0c, 0, end] },
      // 100 instructions in a row that do nothing.
      { type: 0, code: [...Array.from({ length: 100 }, () => 0x01), end] },
    ]),
  );

  it("ends a loop when its fuel is used up, at the same instruction each time", () => {
    expect(() => call(0, 100_000)).toThrow("unreachable");
    const left = fuel();
    expect(left).toBeLessThan(0);
    expect(() => call(0, 100_000)).toThrow("unreachable");
    expect(fuel()).toBe(left);
  });

  it("ends calls that nest without end before the engine's own stack does", () => {
    expect(() => call(1, 100_000_000)).toThrow("unreachable");
    expect(stack()).toBeLessThan(0);
    expect(fuel()).toBeGreaterThan(0);
  });

  it("returns what it returned, and gives back the stack that it took", () => {
    expect([call(2, 1000), stack(), call(3, 1000), stack()]).toEqual([7, stackSlots, 9, stackSlots]);
  });

  it("takes as much as there are instructions, before they run", () => {
    call(4, 1000);
    expect(fuel()).toBe(1000 - 101);
    expect(() => call(4, 100)).toThrow("unreachable");
  });
});

describe("a module that cannot be metered", () => {
  const refused = (bytes: Uint8Array) => () => finish(meterModule(bytes));
  const nothing = { type: 0, code: [end] } as const;

  it.each([
    ["memory.fill", [0xfc, 0x0b, 0]],
    ["a vector instruction", [0xfd, 0]],
    ["a tail call", [0x12, 0]],
    ["an atomic instruction", [0xfe, 0]],
    ["an exception", [0x06, 0x40]],
  ])("uses %s", (_, code) => {
    expect(refused(moduleOf([{ type: 0, code: [...code, end] }]))).toThrow(/the module uses the instruction 0x/);
  });

  it("has a memory of its own, is no module, or ends too early", () => {
    expect(refused(moduleOf([{ ...nothing, code: [end] }], { memory: true }))).toThrow("a memory of its own");
    expect(refused(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]))).toThrow("not a WebAssembly module");
    const whole = moduleOf([{ type: 0, code: [0x01, end] }]);
    // From where functions are announced: before that, what is left is a module that has none.
    for (let length = whole.length - 20; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      expect(() => new webAssembly.Module(finish(meterModule(cut)))).toThrow();
    }
  });

  it("is refused without an endless start either: that is metered too", () => {
    const looping = moduleOf([{ type: 0, code: [0x03, 0x40, 0x0c, 0, end, end] }], { start: 0 });
    expect(() => run(looping)).toThrow("unreachable");
    expect(ModuleProblem.name).toBe("ModuleProblem");
  });
});
