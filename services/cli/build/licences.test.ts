import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { licencePage, thirdParties } from "./licences.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "remit-licences-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function install(name: string, manifest: object): string {
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.2.3", ...manifest }));
  return write(`node_modules/${name}/lib/index.js`, "");
}

test("every package that the modules come from is listed once, with its licence and notice; ours are not", () => {
  const b = install("b", { license: "MIT", author: { name: "Bo" } });
  const a = install("@scope/a", { license: "Apache-2.0" });
  write("node_modules/b/LICENSE.md", "Permission is granted.\n");
  write("node_modules/b/NOTICE", "By Bo.\n");
  const parties = thirdParties([b, a, b, join(root, "services/cli/src/main.ts"), "\0runtime"]);
  expect(parties.map(({ name, version, licence }) => `${name} ${version} ${licence}`)).toEqual([
    "@scope/a 1.2.3 Apache-2.0",
    "b 1.2.3 MIT",
  ]);
  const page = licencePage(parties);
  for (const text of ["Permission is granted.", "By Bo.", "Author: Bo", "carries no text of its licence"]) {
    expect(page).toContain(text);
  }
});

test("a package.json inside a package that names nothing is not the package", () => {
  install("c", { license: "MIT" });
  write("node_modules/c/lib/package.json", '{"type":"module"}');
  expect(thirdParties([join(root, "node_modules/c/lib/index.js")])).toMatchObject([{ name: "c" }]);
});

test("code under a licence that nobody accepted, or under none, stops the build", () => {
  expect(() => thirdParties([install("d", { license: "GPL-3.0-only" })])).toThrow('d 1.2.3 is under "GPL-3.0-only"');
  expect(() => thirdParties([install("e", {})])).toThrow('e 1.2.3 is under ""');
});
