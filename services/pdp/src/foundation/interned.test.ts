import { expect, test } from "vitest";
import { createInterned } from "./interned.ts";

test("answers what it is asked, and begins anew past its bound", () => {
  const interned = createInterned(2);
  const asked = ["a", "b", "a", "c", "a", ""];
  expect(asked.map(interned)).toEqual(asked);
});
