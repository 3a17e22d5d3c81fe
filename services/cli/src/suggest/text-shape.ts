/** A part of a text: characters of one class, or one character that is neither letter nor digit. */
interface Run {
  readonly of: string;
  readonly text: string;
}

const RUNS_MAX = 12;
const LENGTH_MAX = 64;
const ALNUM = "[A-Za-z0-9]";

function fine(character: string): string {
  if (character >= "0" && character <= "9") return "[0-9]";
  if (character >= "a" && character <= "z") return "[a-z]";
  return character >= "A" && character <= "Z" ? "[A-Z]" : character;
}

const coarse = (character: string) => (fine(character).length > 1 ? ALNUM : character);

/** The runs of a text; undefined for what has no form that could be written shortly. */
function runsOf(text: string, classOf: (character: string) => string): Run[] | undefined {
  if (text === "" || text.length > LENGTH_MAX || !/^[\x20-\x7e]+$/.test(text)) return undefined;
  const runs: Run[] = [];
  for (const character of text) {
    const of = classOf(character);
    const last = runs.at(-1);
    if (last?.of === of && of.length > 1) runs[runs.length - 1] = { of, text: last.text + character };
    else runs.push({ of, text: character });
  }
  return runs.length > RUNS_MAX ? undefined : runs;
}

const escaped = (text: string) => text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");

/** One run of every text as a pattern: itself where it is always the same, else its class and its lengths. */
function pattern(runs: readonly Run[]): string {
  const [first] = runs;
  if (!first) return "";
  if (runs.every(({ text }) => text === first.text)) return escaped(first.text);
  const lengths = runs.map(({ text }) => text.length);
  const [min, max] = [Math.min(...lengths), Math.max(...lengths)];
  return `${first.of}{${min === max ? min : `${min},${max}`}}`;
}

function shapeBy(texts: readonly string[], classOf: (character: string) => string): string | undefined {
  const all = texts.map((text) => runsOf(text, classOf));
  const [first] = all;
  if (!first) return undefined;
  const same = all.every((runs) => runs?.length === first.length && runs.every(({ of }, at) => of === first[at]?.of));
  if (!same) return undefined;
  const parts = first.map((_, at) => pattern(all.flatMap((runs) => runs?.[at] ?? [])));
  return `^${parts.join("")}$`;
}

/**
 * A regular expression in RE2's syntax that all texts match, where they are of one form: `^[A-Z]{2}-[0-9]{4,6}$`.
 * Undefined where they are not, or are prose.
 */
export function textShape(texts: readonly string[]): string | undefined {
  return shapeBy(texts, fine) ?? shapeBy(texts, coarse);
}
