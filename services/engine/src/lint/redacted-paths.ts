import { hashOfText } from "../text-hash.ts";

/** Paths by their keys, one a step. */
interface Node {
  /** A path ends here. */
  ends: boolean;
  readonly below: Map<string, Node>;
  /**
   * Of the keys below. A text that is asked for in a `Map` goes into the machine's table of all such texts, which is laid out anew
   * in one piece as it grows; of very many paths that are asked for hardly any is there.
   */
  readonly hashes: Set<number>;
}

const newNode = (): Node => ({ ends: false, below: new Map(), hashes: new Set() });
const EVERY = "*";

/** Finds out of many paths whether any hides something of a value, without a look at each. */
export interface RedactedPaths {
  add(path: string): void;
  /** Whether one of them hides something of the value at another path, or all of it. `*` is any member. */
  hide(path: string): boolean;
}

export function redactedPaths(paths: Iterable<string> = []): RedactedPaths {
  const root = newNode();
  const add = (path: string): void => {
    let node = root;
    for (const key of path.split(".")) {
      const next = node.below.get(key) ?? newNode();
      node.below.set(key, next);
      node.hashes.add(hashOfText(key));
      node = next;
    }
    node.ends = true;
  };
  const hides = (node: Node | undefined, keys: readonly string[], at: number): boolean => {
    if (!node) return false;
    const key = keys[at];
    // It goes on below the value: something of that is hidden.
    if (node.ends || key === undefined) return true;
    if (node.hashes.has(hashOfText(key)) && hides(node.below.get(key), keys, at + 1)) return true;
    return key !== EVERY && hides(node.below.get(EVERY), keys, at + 1);
  };
  for (const path of paths) add(path);
  return { add, hide: (path) => root.below.size > 0 && hides(root, path.split("."), 0) };
}
