import fc from "fast-check";
import { expect, it } from "vitest";
import { hiddenCharacter, oneLine } from "./plain-text.ts";

it("a text of somebody else's is one line that no terminal obeys, whatever it was", () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u001b[2J", "\u009b31m", "\r\n", "\u202E", "\u2028", "\u001b]0;x\u0007"),
  );
  fc.assert(
    fc.property(fc.array(nasty), (parts) => {
      const line = oneLine(parts.join(""), 50);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect([...line].length).toBeLessThanOrEqual(50);
    }),
  );
});

it("what is seen stays as it was", () => {
  expect(oneLine("  Größe, 大きさ,\n and more ")).toBe("Größe, 大きさ, and more");
  expect(oneLine("\u001b[1mbold\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007")).toBe("bold link");
  expect(oneLine("abcdef", 4)).toBe("abc…");
});

it("a character that is not seen is named", () => {
  expect(hiddenCharacter("a\u200Bb")).toBe("U+200B");
  expect(hiddenCharacter("a\u{E0041}")).toBe("U+E0041");
  expect(hiddenCharacter("\uFEFFa\tb\r\nc 👩‍👧 ❤️")).toBeUndefined();
});
