import { expect, test } from "vitest";
import { createFewAtOnce } from "./few-at-once.ts";

/** Work that says when it begins, and ends when it is told to. */
function worksOf(count: number) {
  const begun: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const work = (at: number) => () => {
    begun.push(at);
    return ends[at]?.promise ?? Promise.reject(new Error("no such work"));
  };
  return { begun, work, end: (at: number) => ends[at]?.resolve(at), fail: (at: number) => ends[at]?.reject(at) };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("so much is under way and no more, and what waits begins in the order in which it came", async () => {
  const few = createFewAtOnce(2);
  const { begun, work, end } = worksOf(5);
  const all = [0, 1, 2, 3, 4].map((at) => few(work(at)));
  await settled();
  expect(begun).toEqual([0, 1]);
  end(1);
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (const at of [0, 2, 3, 4]) end(at);
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test("what fails makes room, and its error is its own", async () => {
  const few = createFewAtOnce(1);
  const { begun, work, end, fail } = worksOf(3);
  const [first, second] = [few(work(0)), few(work(1))];
  fail(0);
  await expect(first).rejects.toBe(0);
  end(1);
  expect(await second).toBe(1);
  const third = few(work(2));
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  end(2);
  expect(await third).toBe(2);
});
