import { type Frame, scanSteps, spend } from "./frame.ts";
import type { FunctionTable } from "./function-table.ts";
import { hasUnseen } from "./look-alikes.ts";
import { costFailure, Failure, type Outcome, typeConfusion, type Value } from "./value.ts";

const commandCharsMax = 8192;
const odd = (why: string) => new Failure("error", `a command that ${why}`);

/** Outside quotes these stand for themselves in every shell. `~` is one more inside a word, as in `HEAD~1`. */
const plain = /[A-Za-z0-9_@%+=:,./-]/;
const letterOrDigit = /[A-Za-z0-9_]/;
const assignment = /^[A-Za-z_][A-Za-z0-9_]*\+?=/;
/** Words that are grammar where a command begins. */
const grammar = new Set(
  "if then elif else fi for select while until do done case esac in function time coproc".split(" "),
);

interface Word {
  text: string;
  /** Whether no part of it was quoted. */
  bare: boolean;
}

/** The words of a command, split as POSIX's shell splits it (Shell Command Language, 2.2 and 2.3). */
function wordsOf(text: string): Word[] | Failure {
  const words: Word[] = [];
  let word: Word | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === " ") {
      word = undefined;
      continue;
    }
    if (!word) {
      word = { text: "", bare: true };
      words.push(word);
    }
    if (char === "'" || char === '"') {
      const quoted = char === "'" ? singleQuoted(text, at + 1) : doubleQuoted(text, at + 1);
      if (quoted instanceof Failure) return quoted;
      word.text += quoted.text;
      word.bare = false;
      at = quoted.end;
      continue;
    }
    if (char === "\\") {
      const next = text[at + 1];
      if (next === undefined || next > "~") return odd("ends in a backslash or escapes what is not ASCII");
      word.text += next;
      word.bare = false;
      at++;
      continue;
    }
    const inner = char === "~" && letterOrDigit.test(text[at - 1] ?? " ");
    if (!plain.test(char) && !inner) return odd(`has \`${char}\` outside quotes`);
    if (char === "=" && word.text === "") return odd("has a word that begins with =");
    word.text += char;
  }
  return words;
}

interface Quoted {
  readonly text: string;
  /** Where the closing quote stands. */
  readonly end: number;
}

const unbalanced = odd("has a quote that does not end");

function singleQuoted(text: string, from: number): Quoted | Failure {
  const end = text.indexOf("'", from);
  return end < 0 ? unbalanced : { text: text.slice(from, end), end };
}

/** Within double quotes `$`, a backquote and `!` expand, and a backslash escapes only some characters. */
function doubleQuoted(text: string, from: number): Quoted | Failure {
  let quoted = "";
  for (let at = from; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '"') return { text: quoted, end: at };
    if (char === "$" || char === "`" || char === "!") return odd(`has \`${char}\` in double quotes`);
    if (char !== "\\") {
      quoted += char;
      continue;
    }
    const next = text[at + 1];
    if (next !== '"' && next !== "\\") return odd("has a backslash in double quotes");
    quoted += next;
    at++;
  }
  return unbalanced;
}

/**
 * The words of one simple command. Unknown for everything that a shell would expand, glob, redirect or run besides it,
 * for what would not be a word at all (`A=b rm`, `time`, `if`), and for characters that cannot be seen.
 */
function argv([text]: readonly Value[], frame: Frame): Outcome {
  if (typeof text !== "string") return typeConfusion("argv()", text as Value);
  if (!spend(frame, 2 * scanSteps(text.length))) return costFailure;
  if (text.length > commandCharsMax) return odd("is too long");
  if (hasUnseen(text)) return odd("has characters that cannot be seen");
  const words = wordsOf(text);
  if (words instanceof Failure) return words;
  const [first] = words;
  if (!first || first.text === "") return odd("names no program");
  // Quoting a part of `A=b` after the `=` leaves it an assignment.
  if (assignment.test(first.text)) return odd("begins with an assignment");
  if (first.bare && grammar.has(first.text)) return odd(`begins with \`${first.text}\`, a word of the shell's grammar`);
  return words.map((word) => word.text);
}

export const commandFunctions: FunctionTable = {
  argv: { params: [["string"]], result: "list", items: "string", apply: argv },
};
