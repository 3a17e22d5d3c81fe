export interface Context {
  /** Whether a file, or what is in a directory by default, is kept from the builder. Relative paths with slashes. */
  ignored(path: string): boolean;
  /** Whether a directory holds nothing that is sent. */
  pruned(directory: string): boolean;
}

/** `*` is anything within a name, names that begin with a dot included; `**` is any number of names. */
function matcher(glob: string): (path: string) => boolean {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/|\*\*|\*|\?/g, (wild) =>
      wild === "**/" ? "(?:.*/)?" : wild === "**" ? ".*" : wild === "*" ? "[^/]*" : "[^/]",
    );
  const whole = new RegExp(`^${source}$`);
  return (path) => whole.test(path);
}

/** Reads a .dockerignore: the last pattern that matches a path, or a directory above it, decides. */
export function readIgnore(text: string): Context {
  const patterns = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ sent: line.startsWith("!"), glob: line.replace(/^!/, "").replace(/^\/|\/$/g, "") }))
    .map((pattern) => ({ ...pattern, matches: matcher(pattern.glob) }));
  const ignored = (path: string): boolean => {
    const parts = path.split("/");
    const ways = parts.map((_, at) => parts.slice(0, at + 1).join("/"));
    return patterns.findLast(({ matches }) => ways.some(matches))?.sent === false;
  };
  const below = (directory: string) => patterns.some(({ sent, glob }) => sent && glob.startsWith(`${directory}/`));
  return { ignored, pruned: (directory) => ignored(directory) && !below(directory) };
}
