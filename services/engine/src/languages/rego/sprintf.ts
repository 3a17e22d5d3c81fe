import type { JsonValue } from "../../json.ts";

const charsMax = 16_384;

/**
 * Formats as Rego's `sprintf` does, for the verbs that messages use: `%s`, `%d`, `%v`, `%f` and `%.2f`, `%%`. Throws for any other
 * verb, for a value that does not fit its verb, and where values and verbs do not match in number.
 */
export function sprintf(format: JsonValue, values: JsonValue): string {
  if (typeof format !== "string" || !Array.isArray(values)) throw new Error("sprintf takes a text and a list");
  let used = 0;
  const next = (): JsonValue => {
    if (used >= values.length) throw new Error("sprintf has fewer values than verbs");
    return values[used++] ?? null;
  };
  const text = format.replace(/%(\.\d{1,2})?(.?)/gs, (verb, places: string | undefined, letter: string) => {
    if (verb === "%%") return "%";
    if (letter === "f") return float(next(), Number(places?.slice(1) ?? 6));
    if (places !== undefined) throw unknownVerb(verb);
    if (letter === "v") return shown(next());
    if (letter === "s") return words(next());
    if (letter === "d") return whole(next());
    throw unknownVerb(verb);
  });
  if (used < values.length) throw new Error("sprintf has more values than verbs");
  if (text.length > charsMax) throw new Error(`sprintf made a text of more than ${charsMax} characters`);
  return text;
}

function unknownVerb(verb: string): Error {
  return new Error(`sprintf knows %s, %d, %v, %f and %.2f, not ${verb}`);
}

function shown(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function words(value: JsonValue): string {
  if (typeof value === "string") return value;
  throw new Error("%s of what is no text");
}

function whole(value: JsonValue): string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw new Error("%d of what is no whole number");
}

function float(value: JsonValue, places: number): string {
  if (typeof value === "number" && Math.abs(value) < 1e21) return value.toFixed(places);
  throw new Error("%f of what is no number");
}
