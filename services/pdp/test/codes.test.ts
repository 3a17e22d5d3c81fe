import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/codes.md"), "utf8");
const documented = new Set([...page.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map(([, code]) => code));

function sources(folder: string): string {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  const read = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  return read.map((file) => readFileSync(join(root, folder, file), "utf8")).join("\n");
}

test("every reason that an RPC may fail with is documented", () => {
  const asked = ["decisions", "identities", "policies", "wire", "ledger", "foundation"];
  const text = asked.map((room) => sources(`services/pdp/src/${room}`)).join("\n");
  const kinds = "invalid|unauthenticated|forbidden|missing|conflict|precondition|aborted|exhausted|timeout|unavailable";
  const thrown = [...text.matchAll(new RegExp(`"(?:${kinds}|unimplemented|internal)",\\s*"([a-z_]+)"`, "g"))].map(
    ([, reason]) => reason,
  );
  expect(new Set(thrown).size).toBeGreaterThan(15);
  // Where a service listens is said at its start, not to a caller.
  const startOnly = new Set(["address_unavailable"]);
  expect(
    [...new Set(thrown)].filter((reason) => !documented.has(reason ?? "") && !startOnly.has(reason ?? "")),
  ).toEqual([]);
});

test("every code that the engine may end with is documented", () => {
  const [, union = ""] = /export type VerdictCode =([^;]+);/.exec(sources("services/engine/src")) ?? [];
  const codes = [...union.matchAll(/"([a-z_]+)"/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !documented.has(code ?? ""))).toEqual([]);
});
