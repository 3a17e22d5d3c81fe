import { expect, it } from "vitest";
import { hasLookAlikes } from "./look-alikes.ts";

it("knows every character that normalises to a dot, a slash or a backslash", () => {
  const missed: string[] = [];
  for (let code = 0x80; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code);
    if (/[./\\]/.test(char.normalize("NFKC")) && !hasLookAlikes(char)) missed.push(code.toString(16));
  }
  expect(missed).toEqual([]);
  expect(hasLookAlikes("/workspace/a.b-c\\grün/日本語.txt")).toBe(false);
});
