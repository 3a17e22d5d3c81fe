import { expect, test } from "vitest";
import { type Operator, type Resolution, resolvedAsSaid } from "./operator.ts";

type Word = Operator["words"] extends ReadonlyMap<string, infer One> ? One : never;

const heard: Word = { released: true, heard: true, unheard: false };
const denied: Word = { released: false, heard: false, unheard: false };
const lost: Word = { released: false, heard: false, unheard: true };
const stands = (hold: string, released: boolean): Resolution => ({ hold, decision: `d-${hold}`, released });
const words = (...all: [string, Word][]) => new Map(all);

test("what was heard stands, what was denied does not, and what was lost may or may not", () => {
  const said = words(["a", heard], ["b", denied], ["c", lost], ["d", lost]);
  expect(resolvedAsSaid(said, [stands("a", true), stands("c", false)])).toEqual([]);
});

test.each<[string, Operator["words"], readonly Resolution[], string]>([
  ["a resolution that was heard and is not there", words(["a", heard]), [], "and is not"],
  ["one that nobody asked for", words(), [stands("a", true)], "nobody asked for it"],
  ["one of the other kind", words(["a", heard]), [stands("a", false)], "was resolved as spent"],
  ["one that was denied", words(["b", denied]), [stands("b", false)], "it was denied"],
])("the audit finds %s", (_name, said, resolutions, expected) => {
  expect(resolvedAsSaid(said, resolutions).join("\n")).toContain(expected);
});
