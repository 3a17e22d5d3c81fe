/**
 * The document itself, once it is sure that JSON writes down all of it. `when: limits[region]` is undefined where the region
 * has none, and JSON leaves it out: an allow without its condition. Not a number becomes null.
 *
 * @throws TypeError that says where
 */
export function wholeDocument<Kind extends { readonly kind: string; readonly metadata: { readonly name: string } }>(
  document: Kind,
): Kind {
  const lost = lostIn(document, "");
  if (lost === undefined) return document;
  const { path, what } = lost;
  throw new TypeError(`${document.kind} ${document.metadata.name}: ${path} is ${what}, which no document holds`);
}

interface Lost {
  readonly path: string;
  readonly what: string;
}

/** What JSON would leave out or turn into something else. */
function lostIn(value: unknown, path: string): Lost | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return { path, what: String(value) };
  if (value === undefined || ["function", "symbol", "bigint"].includes(typeof value)) {
    return { path, what: value === undefined ? "undefined" : `a ${typeof value}` };
  }
  if (typeof value !== "object" || value === null) return undefined;
  // Not by its iterator's leave: a hole in a list is undefined, too.
  const parts = Array.isArray(value) ? Array.from(value as unknown[]).entries() : Object.entries(value);
  for (const [key, part] of parts) {
    const lost = lostIn(part, typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
    if (lost) return lost;
  }
  return undefined;
}
