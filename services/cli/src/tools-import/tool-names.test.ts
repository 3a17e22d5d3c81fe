import fc from "fast-check";
import { expect, it } from "vitest";
import { fileName, registrableName, serverName } from "./tool-names.ts";

it("a name keeps what Remit registers, and no two tools get the same", () => {
  const taken = new Set<string>();
  const names = ["read file", "read_file", "-x", "größe", "a.b/c"].map((name) => registrableName(name, "", taken));
  expect(names).toEqual(["read_file", "read_file_2", "_-x", "gr__e", "a.b/c"]);
  expect(registrableName("read", "files.", taken)).toBe("files.read");
});

it("a file name stays in its folder and differs where letters differ in case alone", () => {
  const taken = new Set<string>();
  expect(["Run_test", "run_test", "../../etc/passwd", "..", "a/b"].map((name) => fileName(name, taken))).toEqual([
    "Run_test.tool.yaml",
    "run_test_2.tool.yaml",
    "__.._etc_passwd.tool.yaml",
    "_.tool.yaml",
    "a_b.tool.yaml",
  ]);
});

const anyText = fc
  .array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 300 })
  .map((codes) => String.fromCodePoint(...codes));

it("whatever a tool is called, its names are ones that can be used", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 5 }), (offered) => {
      const [names, files] = [new Set<string>(), new Set<string>()];
      for (const name of offered) {
        const registered = registrableName(name, "", names);
        expect(registered).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,255}$/);
        expect(fileName(registered, files)).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,120}\.tool\.yaml$/);
      }
      expect(names.size).toBe(offered.length);
    }),
  );
});

it("a server is called by what it calls itself", () => {
  expect(serverName("mcp", "Toy Files!")).toBe("mcp://toy-files");
  expect(serverName("mcp", "\u0000…")).toBe("mcp://unnamed");
});
