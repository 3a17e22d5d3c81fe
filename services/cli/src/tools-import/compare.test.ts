import { expect, it } from "vitest";
import { compareTools } from "./compare.ts";

it("a tool is new, the same, changed or gone since it was registered", () => {
  const drafted = [
    { name: "new", offeredDigest: "sha256:1" },
    { name: "same", offeredDigest: "sha256:1" },
    { name: "edited", offeredDigest: "sha256:1" },
    { name: "changed", offeredDigest: "sha256:2" },
    { name: "unnamed", offeredDigest: undefined },
  ];
  const registered = (name: string, schemaDigest: string, offeredSchemaDigest = "", server = "mcp://s") => ({
    ...{ name, schemaDigest, offeredSchemaDigest, server },
  });
  const { states, gone } = compareTools(
    drafted,
    [
      registered("same", "sha256:1"),
      registered("edited", "sha256:9", "sha256:1"),
      registered("changed", "sha256:9", "sha256:1"),
      registered("unnamed", ""),
      registered("gone", "sha256:1"),
      registered("elsewhere", "sha256:1", "", "mcp://other"),
    ],
    "mcp://s",
  );
  expect(Object.fromEntries(states)).toEqual({
    new: "new",
    same: "same",
    edited: "same",
    changed: "schema changed",
    unnamed: "schema changed",
  });
  expect(gone).toEqual(["gone"]);
});
