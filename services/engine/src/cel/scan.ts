/** What is wrong with a text by CEL's grammar, and where: UTF-16 units into it. */
export class SyntaxFault extends Error {
  readonly offset: number;
  /** False where the message says all; else it is that what stands there was not expected. */
  readonly unexpected: boolean;

  constructor(offset: number, message = "") {
    super(message);
    this.offset = offset;
    this.unexpected = message === "";
  }
}

/** A literal of a text, and where the text goes on. */
export interface Literal {
  readonly case:
    | "boolValue"
    | "nullValue"
    | "int64Value"
    | "uint64Value"
    | "doubleValue"
    | "stringValue"
    | "bytesValue";
  readonly value: unknown;
  readonly end: number;
}

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*(?:\n|$))*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const double = /-?(?:[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)/y;
const whole = /(-?)(?:0x([0-9a-fA-F]+)|([0-9]+))([uU]?)/y;
const quote = /([rR]|[bB]|[bB][rR])?("""|'''|"|')/y;

const slash = 0x2f;
const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Where something other than white space and comments begins. */
export function afterSpace(text: string, at: number): number {
  // Of most tokens it is the next character.
  const code = text.charCodeAt(at);
  if (code > 0x20 && code !== slash) return at;
  return at + (matchAt(space, text, at)?.[0].length ?? 0);
}

/** The word that begins there, or nothing. */
export function wordAt(text: string, at: number): string {
  return matchAt(word, text, at)?.[0] ?? "";
}

/** The number or text that begins there; undefined if none does. @throws SyntaxFault */
export function literalAt(text: string, at: number): Literal | undefined {
  const first = text[at] ?? "";
  if (isDigit(first.charCodeAt(0)) || first === "-" || first === ".") return numberAt(text, at);
  if (!"\"'rRbB".includes(first || "$")) return undefined;
  const begun = matchAt(quote, text, at);
  return begun ? quoted(text, at, begun[0], begun[1] ?? "") : undefined;
}

function numberAt(text: string, at: number): Literal | undefined {
  const fraction = matchAt(double, text, at);
  if (fraction) return { case: "doubleValue", value: Number.parseFloat(fraction[0]), end: at + fraction[0].length };
  const number = matchAt(whole, text, at);
  if (!number) return undefined;
  const [all, sign, hex, digits, unsigned] = number;
  const size = BigInt(hex === undefined ? (digits ?? "0") : `0x${hex}`);
  const value = sign === "-" ? -size : size;
  return { case: unsigned === "" ? "int64Value" : "uint64Value", value, end: at + all.length };
}

function quoted(text: string, at: number, opening: string, prefix: string): Literal {
  const mark = opening.slice(prefix.length);
  const isRaw = /r/i.test(prefix);
  const from = at + opening.length;
  const end = endOf(text, from, mark, isRaw);
  if (end === undefined) throw new SyntaxFault(at);
  const inner = text.slice(from, end);
  if (/b/i.test(prefix)) return { case: "bytesValue", value: new Uint8Array(), end: end + mark.length };
  return { case: "stringValue", value: isRaw ? inner : unescaped(inner, from), end: end + mark.length };
}

/** Where the mark stands that ends a text; a short one ends on its own line. */
function endOf(text: string, from: number, mark: string, isRaw: boolean): number | undefined {
  const long = mark.length > 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith(mark, at)) return at;
    const char = text[at];
    if (!long && (char === "\n" || char === "\r")) return undefined;
    if (char === "\\" && !isRaw) at++;
  }
  return undefined;
}

const escapes =
  /\\(?:([abfnrtv])|([\\'"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([xXuU]))/g;
const controls: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** What a text says; a backslash before what it means nothing for stays, as in `"\d"`. */
function unescaped(text: string, offset: number): string {
  if (!text.includes("\\")) return text;
  return text.replace(escapes, (all: string, ...groups: (string | undefined)[]) => {
    const [control, plain, byte, short, long, octal, broken] = groups;
    if (control !== undefined) return controls[control] ?? all;
    if (plain !== undefined) return plain;
    const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? "", 16) : Number.parseInt(octal, 8);
    const place = offset + Number(groups[7]);
    if (broken !== undefined || code > 0x10ffff) throw new SyntaxFault(place, "Invalid code point");
    if (code >= 0xd800 && code < 0xe000) throw new SyntaxFault(place, "surrogate code points are not allowed");
    return String.fromCodePoint(code);
  });
}
