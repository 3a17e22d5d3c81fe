/** What a message is, or how to put it together. */
type Words = string | (() => string);

/** Why a value does not fit, and the way to what of it does not. */
export interface SchemaFailure {
  readonly path: readonly string[];
  readonly message: string;
}

// One check at a time: it is never interrupted. The way is told from its end, since only what fails is on it.
let words: Words = "";
let way: string[] = [];

/** Takes note of why the value under way does not fit, at a name below it if one is given. Always false. */
export function fail(why: Words, name?: string): false {
  words = why;
  way = name === undefined ? [] : [name];
  return false;
}

/** Takes note of the name under which what failed stands. Always false. */
export function failUnder(name: string | number): false {
  way.push(String(name));
  return false;
}

/** What was noted last, to be noted again by {@link restore} if others are tried first. */
export function failureNow(): readonly [words: Words, way: string[]] {
  return [words, way];
}

export function restore([why, where]: ReturnType<typeof failureNow>): false {
  words = why;
  way = where;
  return false;
}

/** Why the last check failed. */
export function lastFailure(): SchemaFailure {
  return { path: [...way].reverse(), message: typeof words === "string" ? words : words() };
}
