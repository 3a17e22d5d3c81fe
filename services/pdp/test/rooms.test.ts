import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { brokenWalls, importsOf, walls } from "./walls.ts";

const src = join(import.meta.dirname, "../src");

function sources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    // Only files in rooms: what stands at the top is the house's own door. Tests may look into every room.
    const path = relative(src, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !path.endsWith(".ts") || path.endsWith(".test.ts") || !path.includes("/")) continue;
    found.set(path, readFileSync(join(src, path), "utf8"));
  }
  return found;
}

test("no room visits another one that it may not, or by another way than its door", () => {
  expect(brokenWalls(sources())).toEqual([]);
});

test("every room that has walls exists, so the table cannot outlive the house", () => {
  const rooms = new Set([...sources().keys()].map((path) => path.split("/")[0]));
  expect(Object.keys(walls).filter((room) => !rooms.has(room))).toEqual([]);
});

test("no domain room reads the environment, the clock or the dice by itself", () => {
  const inRooms = [...sources()].filter(([path]) => /^(policies|identities|ledger|decisions)\//.test(path));
  const guilty = inRooms.filter(([, source]) => /process\.env|Date\.now\(|Math\.random\(\)/.test(source));
  expect(guilty.map(([path]) => path)).toEqual([]);
});

test.each([
  ["policies/snapshot.ts", 'import { createLedger } from "../ledger/index.ts";', "policies may not"],
  ["ledger/ledger.ts", 'import pg from "pg";', "imports pg"],
  ["decisions/decide.ts", 'import { x } from "../ledger/ledger.ts";', "not by its door"],
  ["decisions/decide.ts", 'export { y } from "../stores/ledger.ts";', "enters stores"],
  ["foundation/ids.ts", 'const fs = await import("node:fs");', "imports node:fs"],
  ["wire/decide.ts", 'import type { Pool } from "pg";', "imports pg"],
  ["attic/box.ts", 'import "../foundation/fault.ts";', "no room called attic"],
])("a planted violation in %s is found", (path, source, problem) => {
  expect(brokenWalls(new Map([[path, source]])).join("\n")).toContain(problem);
});

test("imports are found however they are written", () => {
  const source = `import a from "./a.ts"; import type { B } from "./b.ts"; export { c } from "./c.ts";
    export * from "./d.ts"; import "./e.ts"; const f = () => import("./f.ts");`;
  expect(importsOf("x.ts", source).sort()).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts"]);
});
