import { spiffeIdProblem } from "../foundation/spiffe-id.ts";

/** What one proxy on the way wrote about the certificate it was shown: keys in small letters, as they came. */
type Element = readonly (readonly [key: string, value: string])[];

/** What the last proxy on the way says. `problem`: why none of it counts. */
export type Forwarded =
  | { readonly kind: "spiffe"; readonly id: string }
  /** It speaks of no SPIFFE id, so nobody is named. */
  | { readonly kind: "nobody" }
  | { readonly kind: "refused"; readonly problem: string };

const ELEMENTS_MAX = 32;
const KEYS = new Set(["by", "hash", "cert", "chain", "subject", "uri", "dns"]);
const KEY = /[A-Za-z]+=/y;
// What may stand in a value without quotes: anything printable but what separates.
const BARE = /[!#-+\--:<>-~]*/y;
// What may stand between quotes; only a quote is escaped, and a backslash before anything else is itself.
const QUOTED = /"((?:[^"\\\p{Cc}]|\\"|\\(?!"))*)"/uy;

/** Reads what a sticky pattern matches at a place; undefined when it does not. */
function take(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

/** The elements of the header, or what is wrong with it. No blank is let pass outside of quotes: no proxy writes one. */
function elementsOf(header: string): Element[] | string {
  const elements: [string, string][][] = [[]];
  for (let at = 0; ; ) {
    const key = take(KEY, header, at)?.[0];
    if (key === undefined) return `no key stands at character ${at + 1}`;
    const name = key.slice(0, -1).toLowerCase();
    if (!KEYS.has(name)) return `there is no key ${name}`;
    at += key.length;
    const quoted = header[at] === '"';
    const value = take(quoted ? QUOTED : BARE, header, at);
    if (value === undefined) return `the quotes at character ${at + 1} are not closed`;
    const text = quoted ? (value[1] ?? "").replaceAll('\\"', '"') : value[0];
    elements.at(-1)?.push([name, text]);
    at += value[0].length;
    if (at === header.length) return elements;
    if (header[at] === ",") elements.push([]);
    else if (header[at] !== ";") return `what stands at character ${at + 1} separates nothing`;
    if (elements.length > ELEMENTS_MAX) return `it has more than ${ELEMENTS_MAX} elements`;
    at++;
  }
}

const valuesOf = (element: Element, name: string): string[] =>
  element.filter(([key]) => key === name).map(([, value]) => value);

/**
 * Who the last proxy says has asked it, from `x-forwarded-client-cert` as Envoy writes it: elements joined by commas,
 * `Key=value` pairs by semicolons. Only the last element counts, since proxies append; the ones before it were written by
 * whoever asked. Its `By` must be `self`, the SPIFFE id of this service, whose certificate our own proxy shows. A header
 * that is not exactly so written is refused as a whole.
 */
export function readForwarded(header: string, self: string): Forwarded {
  const elements = elementsOf(header);
  if (typeof elements === "string") return { kind: "refused", problem: elements };
  const last = elements.at(-1) ?? [];
  const by = valuesOf(last, "by");
  if (by.length !== 1) return { kind: "refused", problem: `its last element has ${by.length} By, not one` };
  if (by[0] !== self) return { kind: "refused", problem: `its last element was written by ${by[0]}, not by ${self}` };
  const uris = valuesOf(last, "uri");
  const [id] = uris;
  if (id === undefined) return { kind: "nobody" };
  if (uris.length > 1) return { kind: "refused", problem: `its last element names ${uris.length} URIs, not one` };
  if (!id.startsWith("spiffe:")) return { kind: "nobody" };
  const problem = spiffeIdProblem(id);
  return problem === undefined ? { kind: "spiffe", id } : { kind: "refused", problem: `the id ${id} ${problem}` };
}
