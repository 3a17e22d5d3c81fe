import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localCodes } from "../../../sdk-node/src/local-codes.ts";
import { errorReasons } from "../src/foundation/reasons.ts";
import { codesPage } from "./codes/page.ts";

const root = join(import.meta.dirname, "../../..");

function sources(folder: string, tests: boolean): string {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  const read = files.filter((file) => file.endsWith(".ts") && (tests || !file.endsWith(".test.ts")));
  return read.map((file) => readFileSync(join(root, folder, file), "utf8")).join("\n");
}

test("docs/codes.md says what the tables say; run vitest with --update on this file to write it anew", async () => {
  await expect(codesPage()).toMatchFileSnapshot("../../../docs/codes.md");
});

test("every reason is thrown with a kind that its row names", () => {
  const rooms = ["decisions", "identities", "policies", "wire", "ledger", "foundation", "stores"];
  const text = rooms.map((room) => sources(`services/pdp/src/${room}`, false)).join("\n");
  const thrown = [...text.matchAll(/new Fault\(\s*"([a-z]+)",\s*"([a-z_]+)"/g)].map(([, kind, reason]) => [
    kind,
    reason,
  ]);
  expect(thrown.length).toBeGreaterThan(40);
  const rows: Readonly<Record<string, { readonly kinds: readonly string[] }>> = errorReasons;
  const wrong = thrown.filter(([kind = "", reason = ""]) => rows[reason] && !rows[reason].kinds.includes(kind));
  expect(wrong).toEqual([]);
});

test("every denial that the SDK makes by itself is expected by a test of the SDK", () => {
  const text = sources("sdk-node/test", true);
  expect(Object.keys(localCodes).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
});
