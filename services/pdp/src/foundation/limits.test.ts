import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { limits } from "./limits.ts";

test("docs/limits.md names every limit with its value, and nothing else", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/limits.md"), "utf8");
  const rows = [...page.matchAll(/^\|[^|]+\| (\d+)[^|]*\| `(\w+)` \|$/gm)].map(([, value, name]) => [
    name,
    Number(value),
  ]);
  expect(Object.fromEntries(rows)).toEqual(limits);
});
