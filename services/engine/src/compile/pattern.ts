/** Whether a name matches a compiled glob. */
export type NameTest = (name: string) => boolean;

/** True when the pattern is a name and nothing else. */
export function isExactName(glob: string): boolean {
  return !glob.includes("*");
}

/**
 * Compiles a glob over names: `*` stands for any run of characters, also none, dots and slashes included; every other
 * character for itself. Matching takes time linear in the name for each star.
 */
export function compileGlob(glob: string): NameTest {
  const [first = "", ...rest] = glob.split("*");
  if (rest.length === 0) return (name) => name === glob;
  const last = rest.pop() ?? "";
  const middle = rest.filter((part) => part !== "");
  if (middle.length === 0 && last === "") return (name) => name.startsWith(first);
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let from = first.length;
    for (const part of middle) {
      const found = name.indexOf(part, from);
      if (found === -1 || found + part.length > end) return false;
      from = found + part.length;
    }
    return true;
  };
}

/** Whether a name matches a glob that is compared with few names: nothing is compiled that would be kept. */
export function matchesGlob(glob: string, name: string): boolean {
  const star = glob.indexOf("*");
  if (star === -1) return name === glob;
  // Most globs of a long list begin otherwise.
  if (star > 0 && glob.charCodeAt(0) !== name.charCodeAt(0)) return false;
  return compileGlob(glob)(name);
}

/** A test that accepts what at least one of the globs accepts; an empty list accepts nothing. */
export function compileGlobs(globs: readonly string[]): NameTest {
  const tests = globs.map(compileGlob);
  return (name) => tests.some((test) => test(name));
}
