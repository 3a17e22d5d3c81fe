import { Canonical, type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { limits } from "../foundation/limits.ts";

// What is short stands in the entry itself; what is long beside it, and the entry holds its digest alone.
// A character has at most three bytes, so most texts need no counting.
const isLong = (text: string) =>
  3 * text.length > limits.inlineInputBytesMax && Buffer.byteLength(text) > limits.inlineInputBytesMax;

/** Where the values of a call stand: in its entry, or beside it. */
export interface EntryParts {
  readonly inline: Readonly<Record<string, Canonicalisable>>;
  /** Canonical JSON. */
  readonly aside: Buffer | undefined;
  readonly isContextBeside: boolean;
}

/** Takes canonical JSON: of the input, of the context, and of the input that must run where a rule changed it. */
export function partsOf(texts: {
  readonly input: string;
  readonly context: string;
  readonly transformed: string | undefined;
}): EntryParts {
  const inline: Record<string, Canonicalisable> = {};
  const beside: Record<string, Canonicalisable> = {};
  const put = (name: string, text: string) => {
    const isBeside = isLong(text);
    (isBeside ? beside : inline)[name] = new Canonical(text);
    return isBeside;
  };
  put("input", texts.input);
  const isContextBeside = put("context", texts.context);
  if (texts.transformed !== undefined) put("transformed_input", texts.transformed);
  const aside = Object.keys(beside).length === 0 ? undefined : Buffer.from(canonical(beside));
  return { inline, aside, isContextBeside };
}
