import { expect, test } from "vitest";
import { createPlaces } from "./places.ts";

const full = () => new Error("full");

/** Work that lasts until it is told to end. */
function work() {
  const done = Promise.withResolvers<void>();
  const begun: string[] = [];
  return {
    begun,
    end: done.resolve,
    run: async (worker: string) => {
      begun.push(worker);
      await done.promise;
      return worker;
    },
  };
}

test("a worker does one thing at a time, and whoever waited longest has the next", async () => {
  const places = createPlaces(["a"], 2, full);
  const [first, second, third] = [work(), work(), work()];
  const all = [places.use(first.run), places.use(second.run), places.use(third.run)];
  expect(places.waiting).toBe(2);
  third.end();
  first.end();
  await all[0];
  expect([second.begun, third.begun]).toEqual([["a"], []]);
  second.end();
  expect(await Promise.all(all)).toEqual(["a", "a", "a"]);
  expect(places.waiting).toBe(0);
});

test("all workers work side by side", async () => {
  const places = createPlaces(["a", "b"], 0, full);
  const one = work();
  const all = [places.use(one.run), places.use(one.run)];
  one.end();
  expect((await Promise.all(all)).toSorted()).toEqual(["a", "b"]);
});

test("no more wait than may, and work that fails gives its worker back", async () => {
  const places = createPlaces(["a"], 0, full);
  const one = work();
  const first = places.use(one.run);
  await expect(places.use(one.run)).rejects.toThrow("full");
  one.end();
  await first;
  await expect(places.use(() => Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  expect(await places.use(async (worker) => worker)).toBe("a");
});
