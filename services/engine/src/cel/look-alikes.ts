/** Control and format characters, halves of characters, separators of lines: what people do not see and programs drop. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

// Every character that Unicode's NFKC turns into a text with a dot, a slash or a backslash; and those that Windows and
// browsers map to one, or that people cannot tell from one: fraction, division, big and box-drawing strokes, the stops of
// CJK. The test derives the first kind anew.
const lookAlikes =
  /[\u2024-\u2026\u2100\u2101\u2105\u2106\u2488-\u249b\u33c2\u33c7\u33d8\ufe19\ufe30\ufe52\ufe68\uff0e\uff0f\uff3c\u{1f100}\u2044\u2215\u2216\u2571\u2572\u29f5\u29f8\u29f9\u3002\uff61]/u;

/** Whether a text has characters that cannot be seen. */
export function hasUnseen(text: string): boolean {
  return unseen.test(text);
}

/** Whether a text has characters that some programs read as a dot, a slash or a backslash. */
export function hasLookAlikes(text: string): boolean {
  return lookAlikes.test(text);
}
