import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test.each([
  ["writer", "writers"],
  ["POLLMS", "pollMs"],
  ["grpcAdress", "grpcAddress"],
])("%s is near %s", (name, meant) => {
  expect(nearest(name, ["pollMs", "writers", "grpcAddress"])).toBe(meant);
});

test.each(["", "x", "colour"])("nothing is near %j", (name) => {
  expect(nearest(name, ["pollMs", "writers", "grpcAddress"])).toBeUndefined();
});
