/**
 * Answers the same string for equal strings, while it remembers it: what is kept a hundred thousand times, as the tenant
 * of a session is, is then in memory once. Bounded: past `max` different ones it begins anew.
 */
export function createInterned(max: number): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const same = known.get(text);
    if (same !== undefined) return same;
    if (known.size >= max) known.clear();
    known.set(text, text);
    return text;
  };
}
