import type { Pause } from "./in-slices.ts";

/** What is parsed, or looked through, between two pauses: some tenths of a millisecond. */
const PIECE_CHARS_MAX = 32 * 1024;

/**
 * The value of a JSON text, as `JSON.parse` has it, in slices: a text of a megabyte would hold the thread for some
 * milliseconds. Between them it awaits `pause`. Throws what `JSON.parse` throws for what is no JSON.
 */
export async function parseJsonInSlices(text: string, pause: Pause): Promise<unknown> {
  if (text.length <= PIECE_CHARS_MAX) return JSON.parse(text);
  const opening = text.trimStart()[0];
  // Any other value is a text or a number, which take no longer than copying them.
  if (opening !== "[" && opening !== "{") return JSON.parse(text);
  const members = await membersOf(text, pause);
  if (!members) return JSON.parse(text);
  return opening === "[" ? listOf(text, members, pause) : objectOf(text, members, pause);
}

/** A member of the outermost list or object: where it stands, and where its colon is, -1 in a list. */
interface Member {
  readonly from: number;
  readonly to: number;
  readonly colon: number;
}

const [quote, backslash, comma, colonSign, openList, closeList, openMap, closeMap] = [
  34, 92, 44, 58, 91, 93, 123, 125,
] as const;

/** The members of the outermost list or object; undefined where brackets do not fit together. */
async function membersOf(text: string, pause: Pause): Promise<Member[] | undefined> {
  const members: Member[] = [];
  let depth = 0;
  let from = 0;
  let colon = -1;
  let seen = 0;
  let outermost = 0;
  const take = (to: number, last: boolean) => {
    // Only what is empty altogether has no members: elsewhere one is missing, which its piece will not parse without.
    if (!last || members.length > 0 || text.slice(from, to).trim() !== "") members.push({ from, to, colon });
    from = to + 1;
    colon = -1;
  };
  for (let at = 0; at < text.length; at++) {
    if (at - seen >= PIECE_CHARS_MAX) {
      seen = at;
      await pause();
    }
    const char = text.charCodeAt(at);
    if (char === quote) {
      at = endOfText(text, at);
      if (at === -1) return undefined;
    } else if (char === openList || char === openMap) {
      if (depth++ > 0) continue;
      from = at + 1;
      outermost = char;
    } else if (char === closeList || char === closeMap) {
      if (--depth > 0) continue;
      take(at, true);
      const fits = char === (outermost === openList ? closeList : closeMap);
      return fits && text.slice(at + 1).trim() === "" ? members : undefined;
    } else if (depth === 1 && char === comma) take(at, false);
    else if (depth === 1 && char === colonSign && colon === -1) colon = at;
  }
  return undefined;
}

/** Where the text that begins here ends; -1 if it does not. */
function endOfText(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}

/** Members that are parsed together, as many as make a piece; one that is longer stands alone. */
function* pieces(members: readonly Member[]): Generator<readonly Member[]> {
  let piece: Member[] = [];
  for (const member of members) {
    const [first = member] = piece;
    if (piece.length > 0 && member.to - first.from > PIECE_CHARS_MAX) {
      yield piece;
      piece = [];
    }
    piece.push(member);
  }
  if (piece.length > 0) yield piece;
}

/** Where a piece begins and ends. Between two commas there is something. */
function spanOf(text: string, piece: readonly Member[]) {
  const span = { from: piece[0]?.from ?? 0, to: piece.at(-1)?.to ?? 0 };
  if (text.slice(span.from, span.to).trim() === "") throw new SyntaxError("a member is missing");
  return span;
}

const isLong = ({ from, to }: { readonly from: number; readonly to: number }) => to - from > PIECE_CHARS_MAX;

async function listOf(text: string, members: readonly Member[], pause: Pause): Promise<unknown[]> {
  const list: unknown[] = [];
  for (const piece of pieces(members)) {
    const { from, to } = spanOf(text, piece);
    if (isLong({ from, to })) list.push(await parseJsonInSlices(text.slice(from, to), pause));
    else for (const item of JSON.parse(`[${text.slice(from, to)}]`) as unknown[]) list.push(item);
    await pause();
  }
  return list;
}

async function objectOf(text: string, members: readonly Member[], pause: Pause): Promise<object> {
  const object = {};
  for (const piece of pieces(members)) {
    const { from, to } = spanOf(text, piece);
    const [first] = piece;
    if (first && isLong({ from, to })) {
      const key: unknown = JSON.parse(text.slice(from, first.colon));
      if (typeof key !== "string") throw new SyntaxError("a key that is not text");
      setOwn(object, key, await parseJsonInSlices(text.slice(first.colon + 1, to), pause));
    } else {
      const part = JSON.parse(`{${text.slice(from, to)}}`) as Record<string, unknown>;
      for (const [key, value] of Object.entries(part)) setOwn(object, key, value);
    }
    await pause();
  }
  return object;
}

/** `__proto__` is a key like any other, as in `JSON.parse`. */
function setOwn(object: object, key: string, value: unknown): void {
  if (key !== "__proto__") (object as Record<string, unknown>)[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
