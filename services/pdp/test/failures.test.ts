import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/failures.md"), "utf8");
const rows = page.split("\n").filter((line) => /^\| (?!event)[^-]/.test(line));

/** The tests that a row names: the file, then its titles. */
function named(row: string): { file: string; title: string }[] {
  const found: { file: string; title: string }[] = [];
  let file = "";
  for (const [, path, title] of row.matchAll(/([\w./-]+\.test\.ts):|"([^"]+)"/g)) {
    if (path) file = path;
    else if (title) found.push({ file, title });
  }
  return found;
}

test("every row of docs/failures.md names tests that are there", () => {
  expect(rows.length).toBeGreaterThan(12);
  for (const row of rows) expect(named(row), row).not.toEqual([]);
  const gone = rows.flatMap(named).filter(({ file, title }) => {
    const path = join(root, file);
    return !existsSync(path) || !readFileSync(path, "utf8").includes(`test("${title}"`);
  });
  expect(gone).toEqual([]);
});
