import { RE2JS } from "re2js";

const patternCharsMax = 1000;

/** A compiled pattern: whether it is found anywhere in a text, in time linear in the text. */
export interface Regex {
  readonly search: (text: string) => boolean;
  /** Instructions of the compiled pattern: what one character may cost at most. */
  readonly size: number;
}

/** Compiles a regular expression in RE2's syntax (no look-around, no back-references), or says what is wrong with it. */
export function compileRegex(pattern: string): Regex | { readonly problem: string } {
  if (pattern.length > patternCharsMax) return { problem: `a pattern of ${pattern.length} characters` };
  try {
    const regex = RE2JS.compile(pattern);
    return { search: (text) => regex.test(text), size: regex.programSize() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: message.replace(/^error parsing regexp: /, "") };
  }
}
