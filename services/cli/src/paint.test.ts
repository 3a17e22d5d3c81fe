import { expect, test } from "vitest";
import { painter, wantsColour } from "./paint.ts";

test("colours are put around a text only where they are wanted", () => {
  expect(painter(true).red("no")).toBe("\x1b[31mno\x1b[0m");
  expect(painter(false).red("no")).toBe("no");
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: "1" }, false],
  [true, { NO_COLOR: "" }, true],
  [true, { TERM: "dumb" }, false],
])("a terminal: %s, with %o: %s", (isTerminal, env, wanted) => {
  expect(wantsColour(isTerminal, env)).toBe(wanted);
});
