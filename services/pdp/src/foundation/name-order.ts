/** The names of an object's members as they are written. */
export interface NameOrder {
  /** By UTF-16 code units, the order of RFC 8785, section 3.2.3. */
  readonly sorted: readonly string[];
  /** Of each, in quotes and with its colon. */
  readonly heads: readonly string[];
  /** The same behind a comma: put together once, and not for each object. */
  readonly nexts: readonly string[];
}

interface Known extends NameOrder {
  /** As they came. */
  readonly names: readonly string[];
}

const PLACES = 256;
/** Objects that callers send may have any names: what is kept of them is at most 2 × 256 × 64 × 64 characters. */
const NAMES_KEPT_MAX = 64;
const NAME_KEPT_CHARS_MAX = 64;

const areEqual = (some: readonly string[], others: readonly string[]): boolean => {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
};

/**
 * Puts names in order, and keeps the orders that it found: nearly every object that is written has the names of one before
 * it, and comparing with those costs less than sorting. `quote` writes a name; what it throws is thrown.
 */
export function createNameOrders(quote: (name: string) => string): (names: readonly string[]) => NameOrder {
  // Two a place: of two lists that share one and come in turn, as in one entry after the other, neither drives the other out.
  const newer: (Known | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  const older = [...newer];

  return (names) => {
    const first = names[0] ?? "";
    const last = names[names.length - 1] ?? "";
    const place = (31 * names.length + 7 * first.length + 3 * last.length + last.charCodeAt(0)) & (PLACES - 1);
    const known = newer[place];
    if (known && areEqual(known.names, names)) return known;
    const before = older[place];
    if (before && areEqual(before.names, names)) return before;
    // Array.prototype.sort compares UTF-16 code units.
    const sorted = [...names].sort();
    const heads = sorted.map((name) => `${quote(name)}:`);
    const order = { names, sorted, heads, nexts: heads.map((head) => `,${head}`) };
    const isKept = names.length <= NAMES_KEPT_MAX && names.every(({ length }) => length <= NAME_KEPT_CHARS_MAX);
    if (isKept) {
      older[place] = known;
      newer[place] = order;
    }
    return order;
  };
}
