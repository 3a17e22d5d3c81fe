const isSeparator = (character: string) => character === ":" || character === "/";

/** `text[at]` and on against `glob[from]` and on. Remembers what failed, so that it takes no longer than their product. */
function matches(glob: string, text: string, from: number, at: number, failed: Set<number>): boolean {
  const place = from * (text.length + 1) + at;
  if (failed.has(place)) return false;
  const found = step(glob, text, from, at, failed);
  if (!found) failed.add(place);
  return found;
}

function step(glob: string, text: string, from: number, at: number, failed: Set<number>): boolean {
  if (from === glob.length) return at === text.length;
  if (glob[from] !== "*") return glob[from] === text[at] && matches(glob, text, from + 1, at + 1, failed);
  const crosses = glob[from + 1] === "*";
  const rest = from + (crosses ? 2 : 1);
  for (let end = at; end <= text.length; end++) {
    if (matches(glob, text, rest, end, failed)) return true;
    if (end < text.length && !crosses && isSeparator(text[end] ?? "")) return false;
  }
  return false;
}

/**
 * Whether a subject is meant by a glob: `*` stands for any run of characters, also none, that holds neither `:` nor `/`,
 * so that it stays within its part of a name; `**` stands for any run at all; every other character for itself.
 */
export function subjectMatches(glob: string, subject: string): boolean {
  return matches(glob, subject, 0, 0, new Set());
}
