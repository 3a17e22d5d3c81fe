import { scanSteps, spend } from "./frame.ts";
import type { CelFunction, FunctionTable } from "./function-table.ts";
import { hasLookAlikes, hasUnseen } from "./look-alikes.ts";
import { costFailure, Failure, type Outcome, typeConfusion, type Value } from "./value.ts";

const pathCharsMax = 4096;
const odd = (why: string) => new Failure("error", `a path that ${why}`);

// Escapes of control characters, of `%`, `.`, `/`, `\` and `~`, of letters, digits, `-` and `_`, and of everything beyond
// ASCII. Overlong forms and look-alikes hide there, and `.g%69t` is `.git` to whoever reads it. Nobody has to escape those;
// escapes of blanks and signs stand in the names of files that were fetched.
const escapes = /%(?:u|[01][0-9a-f]|2[5def]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5[cf]|7[ef]|[89a-f][0-9a-f])/i;

/**
 * The parts of an absolute or relative POSIX path with `.` and `..` resolved. Unknown for what file systems and shells
 * read differently: backslashes, characters that cannot be seen, escapes, a leading `~`, parts of dots and blanks other
 * than `.` and `..`, and characters that some programs turn into dots or slashes.
 */
function parse(text: string): { absolute: boolean; parts: string[] } | Failure {
  if (text === "") return odd("is empty");
  if (text.length > pathCharsMax) return odd("is too long");
  if (hasUnseen(text)) return odd("has characters that cannot be seen");
  if (text.includes("\\")) return odd("has a backslash");
  if (text.startsWith("~")) return odd("begins with ~");
  if (escapes.test(text)) return odd("has escapes that hide what it is");
  if (hasLookAlikes(text)) return odd("has look-alikes of dots or slashes");
  const absolute = text.startsWith("/");
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." && /^[.\p{Zs}]+$/u.test(part)) return odd("has a part of dots and blanks");
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!absolute) parts.push("..");
  }
  return { absolute, parts };
}

/** The parts of an absolute path once it is resolved; undefined for relative ones and for what {@link parse} refuses. */
export function absoluteParts(text: string): readonly string[] | undefined {
  const parsed = parse(text);
  return parsed instanceof Failure || !parsed.absolute ? undefined : parsed.parts;
}

/** Whether a path lies in a directory, or is it; both as {@link absoluteParts} answers them. */
export function liesIn(path: readonly string[], directory: readonly string[]): boolean {
  return directory.every((part, index) => path[index] === part);
}

/** Whether a path, once resolved, is the directory or lies below it. Both must be absolute. */
function within(path: string, directory: string): Outcome {
  return liesBelow(path, parse(directory));
}

function liesBelow(path: string, outer: ReturnType<typeof parse>): Outcome {
  const inner = parse(path);
  if (inner instanceof Failure) return inner;
  if (outer instanceof Failure) return outer;
  if (!inner.absolute || !outer.absolute) return odd("is relative");
  return liesIn(inner.parts, outer.parts);
}

/** A path below a directory. Unknown if the joined path would lie elsewhere. */
function join(directory: string, path: string): Outcome {
  const [outer, inner] = [parse(directory), parse(path)];
  if (outer instanceof Failure) return outer;
  if (inner instanceof Failure) return inner;
  if (inner.absolute) return odd("is absolute where a relative one belongs");
  if (inner.parts[0] === "..") return odd("leads out of its directory");
  return (outer.absolute ? "/" : "") + [...outer.parts, ...inner.parts].join("/");
}

/** A path's last part, once resolved. Unknown if there is none. */
function base(path: string): Outcome {
  const parsed = parse(path);
  if (parsed instanceof Failure) return parsed;
  const last = parsed.parts.at(-1);
  return last === undefined || last === ".." ? odd("names no file") : last;
}

function onTexts(name: string, count: 1 | 2, compute: (first: string, second: string) => Outcome) {
  return (args: readonly Value[], frame: Parameters<typeof spend>[0]): Outcome => {
    const [first, second = ""] = args;
    if (typeof first !== "string" || typeof second !== "string")
      return typeConfusion(`${name}()`, ...args.slice(0, count));
    return spend(frame, 2 * scanSteps(first.length + second.length)) ? compute(first, second) : costFailure;
  };
}

/** A directory that is written in a condition is absolute. */
function checkDirectory(at: number): NonNullable<CelFunction["literal"]> {
  return (index, value) => {
    if (index !== at || typeof value !== "string") return undefined;
    const directory = parse(value);
    const why =
      directory instanceof Failure ? directory.why : directory.absolute ? undefined : "a path that is relative";
    return why === undefined
      ? undefined
      : { message: `${why}: \`${value}\``, expected: "a directory such as /workspace" };
  };
}

export const pathFunctions: FunctionTable = {
  "path.within": {
    params: [["string"], ["string"]],
    result: "bool",
    literal: checkDirectory(1),
    prepare: ([, directory]) => {
      if (typeof directory !== "string") return undefined;
      const outer = parse(directory);
      return onTexts("path.within", 2, (path) => liesBelow(path, outer));
    },
    apply: onTexts("path.within", 2, within),
  },
  "path.join": {
    params: [["string"], ["string"]],
    result: "string",
    literal: checkDirectory(0),
    apply: onTexts("path.join", 2, join),
  },
  "path.base": { params: [["string"]], result: "string", apply: onTexts("path.base", 1, base) },
};
