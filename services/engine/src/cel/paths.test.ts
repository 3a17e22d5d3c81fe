import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, resultOf } from "../../test/conditions.ts";

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
    "/workspace/a b/100% sure.txt",
    "/workspace/a%20b",
    "/workspace/a%5Bb%5D%40%60",
    "/workspace/grün/日本語",
    "/workspace/e\u0301",
    "/etc/../workspace/a",
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
    "/workspace/%u002e%u002e/etc",
    "/workspace/%c0%ae%c0%ae/etc",
    "/workspace/%e0%80%ae./etc",
    "/workspace/%ef%bc%8f../etc",
    "/workspace/%5c..",
    "/workspace/%7e",
    "/workspace/.g%69t/hooks/pre-commit",
    "/workspace/%47it",
    "/workspace/v%31",
    "/workspace/a%2Db",
    "/workspace/a%5Fb",
    "/workspace/%0a",
    "/workspace/.../etc",
    "/workspace/..\u00a0/etc",
    "/workspace/\u3000../etc",
    "/workspace/.. /etc",
    "/workspace/ /etc",
    "/workspace\u2215..\u2215etc",
    "/workspace\u2044etc",
    "/workspace/\u3002\u3002/etc",
    "/workspace/.\u200b./etc",
    "/workspace/.\u00ad./etc",
    "/workspace/\u202eetc",
    "/workspace/\ufeffetc",
    "/workspace/\ud800",
    "/workspace/a\u0085b",
    "/workspace/a\u2028b",
    "file:///workspace/a",
    " /workspace/a",
    `/workspace/${"a".repeat(5000)}`,
  ])("%j is unknown", (given) => expect(within(given)).toMatch(/^unknown: a path that /));

  it("compares whole names", () => {
    expect(within("/workspace/ab", "/workspace/a")).toBe(false);
    expect(within("/anything", "/")).toBe(true);
    expect(resultOf("path.within(input.a, input.b)", { input: { a: "/a", b: "b" } })).toMatch(/is relative$/);
  });

  it("is unknown for what is no text", () => {
    expect(resultOf('path.within(input.path, "/a")', { input: { path: ["/a"] } })).toBe(
      "unknown: path.within() of a list and a string",
    );
  });
});

describe("path.within, by a second resolver", () => {
  // Walks the path a character at a time, as a reader would: a stack of names, `..` takes one away.
  const naive = (text: string): string => {
    const stack: string[] = [];
    let name = "";
    for (const char of `${text}/`) {
      if (char !== "/") {
        name += char;
        continue;
      }
      if (name === "..") stack.length = Math.max(0, stack.length - 1);
      else if (name !== "" && name !== ".") stack.push(name);
      name = "";
    }
    return `/${stack.map((one) => `${one}/`).join("")}`;
  };

  it("has the same answer", () => {
    const piece = fc.constantFrom(
      "/",
      "/",
      "..",
      ".",
      "a",
      "workspace",
      "b",
      "-",
      " ",
      "%",
      "%2",
      "e",
      "\u0301",
      "..a",
    );
    const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);
    let known = 0;
    fc.assert(
      fc.property(path, fc.constantFrom("/workspace", "/a/b", "/a", "/"), (given, directory) => {
        const answer = within(given, directory);
        if (typeof answer !== "boolean") return;
        known++;
        expect(answer).toBe(naive(given).startsWith(naive(directory)));
      }),
      { numRuns: 3000 },
    );
    expect(known).toBeGreaterThan(1000);
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

describe("a directory that is written in a condition", () => {
  it.each([
    ['path.within(input.path, "workspace")', "a path that is relative: `workspace`"],
    ['path.within(input.path, "~/a")', "a path that begins with ~: `~/a`"],
    ['path.join("workspace", input.path) == "/a"', "a path that is relative: `workspace`"],
    ['path.within(input.path, "")', "a path that is empty: ``"],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)).toEqual([complaint]));
});
