import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/conditions.ts";

const path = (expression: string, path: string) => resultOf(expression, { input: { path } });
const within = (given: string, directory = "/workspace") => path(`path.within(input.path, "${directory}")`, given);

describe("path.within", () => {
  it.each([
    "/workspace",
    "/workspace/",
    "/workspace/a/b.txt",
    "/workspace/./a",
    "//workspace//a",
    "/workspace/a/../b",
    "/workspace/..a",
  ])("%s lies within", (given) => expect(within(given)).toBe(true));

  it.each([
    "/workspace/../etc/passwd",
    "/workspace/a/../../etc/passwd",
    "/workspace-evil/a",
    "/workspacex",
    "/etc/passwd",
    "/",
    "/..",
    "/../../workspace/../etc",
    "/etc/../workspace/../etc",
  ])("%s lies outside", (given) => expect(within(given)).toBe(false));

  it.each([
    "",
    "workspace/a",
    "../workspace/a",
    "~/a",
    "~root/workspace",
    "/workspace\\..\\etc",
    "C:\\workspace",
    "/workspace/%2e%2e/etc",
    "/workspace/%2E%2E%2Fetc",
    "/workspace/%252e%252e/etc",
    "/workspace/a%00.txt",
    "/workspace/a\u0000.txt",
    "/workspace/a\n../etc",
    "/workspace/\u2024\u2024/etc",
    "/workspace/\u2025/etc",
    "/workspace\uff0f..\uff0fetc",
    "/workspace/\uff0e\uff0e/etc",
    `/workspace/${"a".repeat(5000)}`,
  ])("%j is unknown", (given) => expect(within(given)).toMatch(/^unknown: a path that /));

  it("compares whole names", () => {
    expect(within("/workspace/ab", "/workspace/a")).toBe(false);
    expect(within("/anything", "/")).toBe(true);
    expect(within("/a", "b")).toBe("unknown: a path that is relative");
  });

  it("is unknown for what is no text", () => {
    expect(resultOf('path.within(input.path, "/a")', { input: { path: ["/a"] } })).toBe(
      "unknown: path.within() of a list and a string",
    );
  });
});

describe("path.join", () => {
  it.each([
    ["a.txt", "/workspace/sandbox/a.txt"],
    ["a/./b//c", "/workspace/sandbox/a/b/c"],
    ["a/../b", "/workspace/sandbox/b"],
  ])("%s stays below its directory", (given, joined) => {
    expect(path('path.join("/workspace/sandbox", input.path)', given)).toBe(joined);
  });

  it.each(["../a", "a/../../b", "/etc/passwd", "..", "\\..\\a"])("%s is unknown", (given) => {
    expect(path('path.join("/workspace/sandbox", input.path)', given)).toMatch(/^unknown: a path that /);
  });
});

describe("path.base", () => {
  it.each([
    ["/a/b.txt", "b.txt"],
    ["b.txt", "b.txt"],
    ["/a/b/", "b"],
    ["/a/b/../c", "c"],
  ])("of %s is %s", (given, base) => expect(path("path.base(input.path)", given)).toBe(base));

  it.each(["/", "..", "/a/..", ".", "a/../.."])("of %s is unknown", (given) => {
    expect(path("path.base(input.path)", given)).toBe("unknown: a path that names no file");
  });
});
