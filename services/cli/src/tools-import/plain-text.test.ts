import fc from "fast-check";
import { expect, it } from "vitest";
import { hiddenCharacter, oneLine } from "./plain-text.ts";

const esc = "\u001b";
const codePoint = fc.integer({ min: 0, max: 0x10ffff });

it("a text of somebody else's is one line that no terminal obeys, whatever it was", () => {
  const nasty = fc.oneof(
    codePoint.map((code) => String.fromCodePoint(code)),
    fc.constantFrom(`${esc}[2J`, "\u009b31m", "\r\n", "\u202E", "\u2028", `${esc}]0;x\u0007`, esc, "m", "["),
  );
  fc.assert(
    fc.property(fc.array(nasty), (parts) => {
      const line = oneLine(parts.join(""), 50);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect([...line].length).toBeLessThanOrEqual(50);
    }),
  );
});

it("a text that is made to be slow is not", () => {
  const texts = [`${esc}]8;;x`, `${esc}[`, `${esc}[1`, esc, "\u009b;"].map((part) => part.repeat(200_000));
  expect(texts.map((text) => oneLine(text).length)).toEqual([0, 0, 0, 0, 0]);
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
