import { expect, test } from "vitest";
import { painter } from "./paint.ts";
import { table } from "./table.ts";

test("cells are aligned under their titles, numbers on the right, without trailing space", () => {
  const rows = [
    ["files.write", "7", ""],
    ["pay", "1234", "x"],
  ];
  expect(table([{ title: "TOOL" }, { title: "CALLS", right: true }, { title: "NOTE" }], rows)).toEqual([
    "TOOL         CALLS  NOTE",
    "files.write      7",
    "pay           1234  x",
  ]);
});

test("colours take no room", () => {
  const { red } = painter(true);
  const [, line] = table([{ title: "EFFECT" }, { title: "N" }], [[red("deny"), "1"]]);
  expect(line).toBe(`${red("deny")}    1`);
});
