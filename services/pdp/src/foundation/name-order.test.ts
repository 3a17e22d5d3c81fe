import fc from "fast-check";
import { expect, test } from "vitest";
import { createNameOrders } from "./name-order.ts";

const quote = (name: string) => JSON.stringify(name);

test("whatever was ordered before, names come in the order of their code units, each with its own head", () => {
  // Few letters, so that different names of one length meet in one place.
  const name = fc.oneof(fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{1F600}"), maxLength: 3 }), fc.string());
  const names = fc.uniqueArray(name, { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 40 }), (objects) => {
      const orderOf = createNameOrders(quote);
      for (const own of [...objects, ...objects]) {
        const { sorted, heads, nexts } = orderOf(own);
        expect(sorted).toEqual([...own].sort());
        expect(heads).toEqual(sorted.map((one) => `${quote(one)}:`));
        expect(nexts).toEqual(heads.map((head) => `,${head}`));
      }
    }),
  );
});

test("the same names in another order are not taken for those before", () => {
  const orderOf = createNameOrders(quote);
  const order = orderOf(["b", "c", "a"]);
  expect(orderOf(["b", "c", "a"])).toBe(order);
  expect(orderOf(["b", "d", "a"]).sorted).toEqual(["a", "b", "d"]);
  expect(orderOf(["c", "b", "a"]).sorted).toEqual(["a", "b", "c"]);
});

test("two lists of names that share a place do not drive each other out", () => {
  const orderOf = createNameOrders(quote);
  const lists = [
    ["unit", "value"],
    ["session", "agent"],
  ];
  const [some, others] = lists.map(orderOf);
  for (let time = 0; time < 2; time++) {
    expect(orderOf(["unit", "value"])).toBe(some);
    expect(orderOf(["session", "agent"])).toBe(others);
  }
});

test("long names and many of them are ordered and not kept", () => {
  const orderOf = createNameOrders(quote);
  const long = ["z", "n".repeat(65)];
  const many = Array.from({ length: 65 }, (_, at) => `n${at}`);
  for (const names of [long, many]) {
    expect(orderOf(names)).not.toBe(orderOf(names));
    expect(orderOf(names).sorted).toEqual([...names].sort());
  }
});

test("a name that cannot be written is refused each time", () => {
  const orderOf = createNameOrders((name) => {
    if (!name.isWellFormed()) throw new Error("lone surrogate");
    return quote(name);
  });
  for (let time = 0; time < 2; time++) expect(() => orderOf(["a", "\ud800"])).toThrow("lone surrogate");
});
