const partsCount = 64;
const partOf = (key: string): number => {
  let hash = key.length;
  for (let at = Math.max(0, key.length - 8); at < key.length; at++) hash = (hash * 31 + key.charCodeAt(at)) & 0xffff;
  return (hash ^ (hash >> 6)) & (partsCount - 1);
};

/**
 * A map of very many texts, in parts: one map is laid out anew as a whole each time that it doubles, which takes
 * milliseconds at a hundred thousand.
 */
export interface WideMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

export function wideMap<Value>(): WideMap<Value> {
  const parts: (Map<string, Value> | undefined)[] = [];
  return {
    get: (key) => parts[partOf(key)]?.get(key),
    set: (key, value) => {
      const at = partOf(key);
      const part = parts[at] ?? new Map<string, Value>();
      parts[at] = part;
      part.set(key, value);
    },
  };
}
