import { type NumberSet, nextOf, noNumber } from "../compile/number-set.ts";
import { wideMap } from "../compile/wide-map.ts";
import { anything, type Shape, union } from "./shape.ts";

/** The shapes of tools, of which most have those of others: what several matches are about is put together once. */
export interface ShapesAmong {
  add(tool: number, shape: Shape): void;
  /** The numbers of the shapes that some tools have, in the order in which they come; more than `max` are not told. */
  of(tools: NumberSet, max: number): readonly number[];
  /** The shapes of these numbers, put together. */
  united(numbers: readonly number[]): Shape;
}

/** For tools that are numbered up to `count`. */
export function shapesAmong(count: number): ShapesAmong {
  const numbers = new Map<Shape, number>();
  const shapes: Shape[] = [];
  const shapeOf = new Uint32Array(count);
  const unions = wideMap<Shape>();
  // For each shape who met it last.
  const metBy = new Uint32Array(count);
  let asked = 0;
  return {
    add(tool, shape) {
      const number = numbers.get(shape) ?? shapes.length;
      if (number === shapes.length) {
        numbers.set(shape, number);
        shapes.push(shape);
      }
      shapeOf[tool] = number;
    },
    of(tools, max) {
      const met: number[] = [];
      asked++;
      for (let tool = nextOf(tools, 0); tool !== noNumber; tool = nextOf(tools, tool + 1)) {
        const number = shapeOf[tool] as number;
        if (metBy[number] === asked) continue;
        metBy[number] = asked;
        met.push(number);
        if (met.length === shapes.length || met.length > max) break;
      }
      return met;
    },
    united(some) {
      const key = some.join();
      let shape = unions.get(key);
      if (!shape) {
        shape = union(
          some.map((number) => shapes[number]),
          { apart: true },
        );
        shape ??= anything;
        unions.set(key, shape);
      }
      return shape;
    },
  };
}
