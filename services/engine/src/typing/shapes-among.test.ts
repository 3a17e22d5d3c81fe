import { expect, it } from "vitest";
import { setOfList } from "../compile/number-set.ts";
import { shapeOf } from "./schema-shape.ts";
import type { Shape } from "./shape.ts";
import { shapesAmong } from "./shapes-among.ts";

const types = ["integer", "string", "boolean"];
const [int, text, bool] = types.map((type) => shapeOf({ type: "object", properties: { a: { type } } }));
const count = 90;
const tools = (list: readonly number[]) => setOfList(list, count);
const all = Array.from({ length: count }, (_, at) => at);

function among() {
  const shapes = shapesAmong(count);
  for (const tool of all) shapes.add(tool, (tool < 30 ? text : tool < 60 ? int : bool) as Shape);
  return shapes;
}

it("the shapes of tools are told once each, in the order in which the tools come", () => {
  const shapes = among();
  expect(shapes.of(tools(all), 500)).toEqual([0, 1, 2]);
  expect(shapes.of(tools([31, 32, 65]), 500)).toEqual([1, 2]);
  expect(shapes.of(tools([31, 65]), 500)).toEqual([1, 2]);
  expect(shapes.of(tools([]), 500)).toEqual([]);
});

it("of more shapes than are asked for one more is told", () => {
  expect(among().of(tools(all), 1)).toHaveLength(2);
});

it("the same shapes are put together once, and other ones by themselves", () => {
  const shapes = among();
  expect(shapes.united([0])).toBe(text);
  expect(shapes.united([1, 2])).toBe(shapes.united([1, 2]));
  expect(shapes.united([0, 1]).property("a")?.types).toBe(
    (text?.property("a")?.types ?? 0) | (int?.property("a")?.types ?? 0),
  );
  expect(shapes.united([1, 2]).property("a")?.types).not.toBe(shapes.united([0, 1]).property("a")?.types);
});
