import { expect, test } from "vitest";
import { oldestKeyOf } from "./oldest-key.ts";

test("the oldest keys come in the order in which they were put in, whatever was taken out meanwhile", () => {
  const map = new Map<string, number>();
  const oldest = oldestKeyOf(map);
  const take = () => {
    const key = oldest();
    if (key !== undefined) map.delete(key);
    return key;
  };
  for (const name of ["a", "b", "c", "d"]) map.set(name, 1);
  expect(take()).toBe("a");
  map.delete("b");
  // Put in anew it is the youngest.
  map.delete("c");
  map.set("c", 2);
  expect([take(), take()]).toEqual(["d", "c"]);
});

test("of an empty map there is no oldest key, and of one that is filled again there is", () => {
  const map = new Map<string, number>();
  const oldest = oldestKeyOf(map);
  expect(oldest()).toBeUndefined();
  map.set("a", 1);
  expect(oldest()).toBe("a");
  map.clear();
  map.set("b", 1);
  expect(oldest()).toBe("b");
});

test("a map that is kept full for long lets go the oldest each time", () => {
  const map = new Map<number, number>();
  const oldest = oldestKeyOf(map);
  const gone: (number | undefined)[] = [];
  for (let at = 0; at < 5_000; at++) {
    map.set(at, at);
    if (map.size <= 100) continue;
    const key = oldest();
    gone.push(key);
    map.delete(key as number);
  }
  expect(gone).toEqual(Array.from({ length: 4_900 }, (_, at) => at));
});
