import { RE2JS } from "re2js";
import { finish, type Steps } from "../compile/steps.ts";
import { charSteps } from "./frame.ts";
import { tooLargePattern } from "./pattern-size.ts";

const patternCharsMax = 1000;

/** A compiled pattern: whether it is found anywhere in a text, in time linear in the text. */
export interface Regex {
  readonly search: (text: string) => boolean;
  /** The steps of a search in a text of so many characters, at most. */
  readonly steps: (chars: number) => number;
}

interface Wrong {
  readonly problem: string;
}

/** Compiled patterns, the one that was asked for longest ago first: many rules and tools have the same ones. */
const kept = new Map<string, Regex>();
const keptMax = 200;

/** Compiles a regular expression in RE2's syntax (no look-around, no back-references), or says what is wrong with it. */
export function compileRegex(pattern: string): Regex | Wrong {
  return finish(compileRegexInSteps(pattern));
}

/** The same, some states at a time. */
export function* compileRegexInSteps(pattern: string): Steps<Regex | Wrong> {
  const before = kept.get(pattern);
  const made = before ?? (yield* compileNew(pattern));
  if ("problem" in made) return made;
  kept.delete(pattern);
  kept.set(pattern, made);
  for (const [oldest] of kept) {
    if (kept.size <= keptMax) break;
    kept.delete(oldest);
  }
  return made;
}

/** Of parsing a pattern and compiling its program, in the unit of {@link Steps}. */
const parsingCost = 100;

/** Reads a pattern for its problems alone: what it answers takes no steps, and is not for searching. */
export function* readRegexInSteps(pattern: string): Steps<Regex | Wrong> {
  const before = kept.get(pattern);
  if (before) return before;
  yield parsingCost;
  const regex = parsePattern(pattern);
  yield parsingCost;
  return "problem" in regex ? regex : { search: (text) => regex.test(text), steps: () => 0 };
}

function* compileNew(pattern: string): Steps<Regex | Wrong> {
  yield parsingCost;
  const regex = parsePattern(pattern);
  yield parsingCost;
  if ("problem" in regex) return regex;
  return { search: (text) => regex.test(text), steps: yield* stepsOf(regex) };
}

function parsePattern(pattern: string): RE2JS | Wrong {
  if (pattern.length > patternCharsMax) return { problem: `a pattern of ${pattern.length} characters` };
  const tooLarge = tooLargePattern(pattern);
  if (tooLarge !== undefined) return { problem: tooLarge };
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: message.replace(/^error parsing regexp: /, "") };
  }
}

/**
 * What a search costs. Most patterns have few states, so that all of them are made here and a search is one look-up a
 * character. The others would make states while they search, thousands of them and at a multiple of the time; they go
 * through the parts of their program instead, and each character costs all of it.
 */
function* stepsOf(regex: RE2JS): Steps<Regex["steps"]> {
  const re2 = regex.re2Input;
  if (re2.prefixComplete) return (chars) => 4 + charSteps(chars) * 8;
  if (yield* hasFewStates(regex)) {
    // Its one-pass form is several times slower than its states.
    Object.assign(re2, { onepass: null });
    return (chars) => 4 + (chars >> 1);
  }
  re2.dfa.failed = true;
  const size = regex.programSize();
  return (chars) => 4 + ((chars * size) >> 1);
}

/** What making all states may cost: entries of their tables, 8 bytes each, and parts of the program looked at. */
const entriesMax = 8192;
const workMax = 50_000;
/** Parts of the program that are looked at in the time of one step of compiling. */
const workPerStep = 100;
const beginOfText = 4;
const endOfText = -1;
const unanchored = 0;

interface State {
  readonly nfaStates: readonly number[];
}

/** Makes every state that a search can be in; false, with some of them made, if there are too many. */
function* hasFewStates(regex: RE2JS): Steps<boolean> {
  const { dfa } = regex.re2Input;
  // A character of each class: the first of its range, and the end of the text.
  const characters = [0, ...dfa.classBounds, endOfText];
  const start: State | null = dfa.failed ? null : dfa.start({ context: () => beginOfText }, 0);
  if (start === null) return false;
  const seen = new Set([start]);
  let work = 0;
  let told = 0;
  for (const state of seen) {
    const each = 4 + state.nfaStates.length;
    if (seen.size * characters.length > entriesMax || work + each * characters.length > workMax) return false;
    for (const [number, character] of characters.entries()) {
      const next: State | null = dfa.step(state, number, character, unanchored);
      if (next === null) return false;
      if (character !== endOfText) seen.add(next);
      work += each;
      if (work - told < workPerStep) continue;
      yield (work - told) / workPerStep;
      told = work;
    }
  }
  return true;
}
