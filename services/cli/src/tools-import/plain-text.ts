const [ESC, BEL, CSI] = [27, 7, 0x9b].map((code) => String.fromCharCode(code));
/**
 * What terminals obey: control sequences, and commands to the system of the terminal (ECMA-48, sections 5.4 and 5.6).
 * No part of a match can begin another, so that a hostile text costs no more than its length.
 */
const sequences = new RegExp(
  `(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]?|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|${ESC}[@-Z\\\\^_]?`,
  "g",
);

/** Characters that are not seen: controls, zero width, directions, tags, selectors, private use, fillers. */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Variation_Selector}\u115F\u1160\u3164\uFFA0]/u;
const everyHidden = new RegExp(hidden.source, "gu");
const ordinarySpace = /[\t\n\r]/g;
/** Asks for the coloured form of the symbol before it. */
const emojiStyle = "\uFE0F";
// Between the parts of an emoji, and the letters of some scripts: seen for what they are.
const joiners = /(?<=[\p{Extended_Pictographic}\p{L}\p{M}])[\u200C\u200D](?=[\p{Extended_Pictographic}\p{L}])/gu;
const byteOrderMark = /^\uFEFF/;

/** Somebody else's text on one line, with nothing in it that a terminal obeys or an eye cannot see. */
export function oneLine(text: string, charsMax = 200): string {
  const line = text.replace(sequences, "").replace(/\s+/g, " ").replace(everyHidden, "").trim();
  const characters = [...line];
  return characters.length > charsMax ? `${characters.slice(0, charsMax - 1).join("")}…` : line;
}

/** Somebody else's text whole and on one line: what a terminal obeys or an eye cannot see is spelled out, as `\u{202E}`. */
export function spelledOut(text: string): string {
  const numberOf = (character: string) => (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return text.replaceAll("\n", "\\n").replace(everyHidden, (character) => `\\u{${numberOf(character)}}`);
}

/** The first character of a text that is not seen, as `U+200B`; undefined if there is none. */
export function hiddenCharacter(text: string): string | undefined {
  const plain = text.replace(byteOrderMark, "").replace(ordinarySpace, " ").replaceAll(emojiStyle, "");
  const [found] = hidden.exec(plain.replace(joiners, "")) ?? [];
  const code = found?.codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
