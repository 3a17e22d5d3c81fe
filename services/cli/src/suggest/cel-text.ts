const RESERVED = new Set(
  "as break const continue else false for function if import in let loop namespace null package return true var void while".split(
    " ",
  ),
);

const unprintable = /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Whether every bracket of a text is closed: readers of documents count them, wherever they stand. */
export function balanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth < 0) return false;
  }
  return depth === 0;
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text as a literal of a condition, of JSON and of YAML, on one line. */
export function literal(value: string): string {
  const text = JSON.stringify(value).replace(unprintable, escaped);
  return balanced(text) ? text : text.replace(/[[\]{}]/g, escaped);
}

export function list(values: readonly string[]): string {
  return `[${values.map(literal).join(", ")}]`;
}

const plain = (key: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !RESERVED.has(key);

/** A key as people read it. */
export function named(key: string): string {
  return plain(key) || /^[\w.-]+$/.test(key) ? key : literal(key);
}

/** A member of what an expression names. */
export function member(expression: string, key: string): string {
  return plain(key) ? `${expression}.${key}` : `${expression}[${literal(key)}]`;
}

/** Whether a map lacks a key, as a condition. */
export function lacks(expression: string, key: string): string {
  return plain(key) ? `!has(${expression}.${key})` : `!(${literal(key)} in ${expression})`;
}

/** A number as a condition writes it. */
export function number(value: number): string {
  return Object.is(value, -0) ? "0" : String(value);
}
