import { Composer, type Document, Lexer, Parser } from "yaml";

/** What the lexer puts before the text of a scalar. */
const scalarMark = "\x1f";

/**
 * Where lists and maps in brackets first stand deeper in each other than `max`, if they do: a bound before the parser,
 * which recurses, looks at them. Brackets in texts and comments are none.
 */
export function flowDepthOver(text: string, max: number): number | undefined {
  if (openingsUpTo(text, max) <= max) return undefined;
  let depth = 0;
  let offset = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const marks = token === scalarMark;
    if (!scalar && (token === "[" || token === "{")) {
      if (++depth > max) return offset;
    } else if (!scalar && (token === "]" || token === "}")) depth = Math.max(0, depth - 1);
    scalar = marks;
    if (!marks && !controls.has(token)) offset += token.length;
  }
  return undefined;
}

/** Tokens that stand for no characters of the text: document and flow-error-end marks, and the scalar's. */
const controls: ReadonlySet<string> = new Set(["\x02", "\x18", scalarMark]);

/** How many brackets a text opens, wherever they stand; one more than `max` is enough to know. */
function openingsUpTo(text: string, max: number): number {
  let count = 0;
  for (let index = 0; index < text.length && count <= max; index++) {
    const char = text.charCodeAt(index);
    if (char === 0x5b || char === 0x7b) count++;
  }
  return count;
}

/**
 * The documents of a text by YAML 1.2's core schema, one after the other: who has seen enough of them stops. After
 * `errorsMax` broken tokens the rest is not looked at; what they broke says so.
 */
export function* yamlDocuments(text: string, errorsMax: number): Generator<Document.Parsed> {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    // Checked while reading instead: the parser compares every key with every other.
    uniqueKeys: false,
    strict: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  // Errors outside any document come with an empty one, so that none is lost.
  yield* composer.compose(tokensOf(text, errorsMax), true, text.length) as Generator<Document.Parsed>;
}

function* tokensOf(text: string, errorsMax: number): ReturnType<Parser["parse"]> {
  let errors = 0;
  for (const token of new Parser().parse(text)) {
    yield token;
    if (token.type === "error" && ++errors >= errorsMax) return;
  }
}
