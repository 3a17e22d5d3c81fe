/** Parts of a pattern once its repetitions are written out; a program is some times as long. */
const patternPartsMax = 2_000;
/** Classes of the world's letters in one pattern, each of which is hundreds of ranges. */
const unicodeClassesMax = 10;

/**
 * What a pattern is too large in before anybody compiles it, which takes time and memory for every part; undefined if in
 * nothing. Whether it is a pattern at all is not asked here.
 */
export function tooLargePattern(pattern: string): string | undefined {
  const classes = pattern.match(/\\[pP]/g)?.length ?? 0;
  if (classes > unicodeClassesMax) {
    return `${classes} classes of Unicode, and there may be ${unicodeClassesMax}`;
  }
  const parts = partsOf(pattern);
  if (parts <= patternPartsMax) return undefined;
  return `${parts} parts when its repetitions are written out, and there may be ${patternPartsMax}`;
}

const token =
  /\\Q[\s\S]*?(?:\\E|$)|\\x\{[^}]*\}|\\[pP](?:\{[^}]*\}|.)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\{(\d+)(,?)(\d*)\}|[\s\S]/g;

function partsOf(pattern: string): number {
  /** The parts of each group that is open, the innermost last, and of the last part in it, which a repetition repeats. */
  const open = [{ sum: 0, last: 0 }];
  for (const [text, least, comma, most] of pattern.matchAll(token)) {
    const group = open.at(-1) ?? { sum: 0, last: 0 };
    if (text === "(") open.push({ sum: 0, last: 0 });
    else if (text === ")") {
      if (open.length > 1) open.pop();
      const outer = open.at(-1) ?? group;
      if (outer !== group) outer.sum += outer.last = group.sum + 1;
    } else if (least !== undefined) {
      const times = Math.max(Number(least), Number(most || 0), comma && !most ? Number(least) + 1 : 1);
      group.sum += group.last * (times - 1);
      group.last *= times;
    } else if (text.startsWith("\\Q")) group.sum += group.last = text.length;
    else group.sum += group.last = 1;
  }
  return open.reduce((sum, group) => sum + group.sum, 0);
}
