import { scanSteps, spend } from "./frame.ts";
import type { FunctionTable } from "./function-table.ts";
import { costFailure, Failure, type Outcome, typeConfusion, type Value } from "./value.ts";

const pathCharsMax = 4096;
const odd = (why: string) => new Failure("error", `a path that ${why}`);

/**
 * The parts of an absolute or relative POSIX path with `.` and `..` resolved. Unknown for what file systems and shells
 * read differently: backslashes, NUL and other control characters, `%` escapes of dots and slashes, a leading `~`, and
 * characters that Unicode normalisation turns into dots or slashes.
 */
function parse(text: string): { absolute: boolean; parts: string[] } | Failure {
  if (text === "") return odd("is empty");
  if (text.length > pathCharsMax) return odd("is too long");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) return odd("has control characters");
  if (text.includes("\\")) return odd("has a backslash");
  if (text.startsWith("~")) return odd("begins with ~");
  if (/%(2e|2f|5c|00|25)/i.test(text)) return odd("has escapes for dots or slashes");
  if (dotsOf(text) !== dotsOf(text.normalize("NFKC"))) return odd("has look-alikes of dots or slashes");
  const absolute = text.startsWith("/");
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!absolute) parts.push("..");
  }
  return { absolute, parts };
}

function dotsOf(text: string): number {
  return text.length - text.replaceAll(/[./]/g, "").length;
}

/** Whether a path, once resolved, is the directory or lies below it. Both must be absolute. */
function within(path: string, directory: string): Outcome {
  const [inner, outer] = [parse(path), parse(directory)];
  if (inner instanceof Failure) return inner;
  if (outer instanceof Failure) return outer;
  if (!inner.absolute || !outer.absolute) return odd("is relative");
  return outer.parts.every((part, index) => inner.parts[index] === part);
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

export const pathFunctions: FunctionTable = {
  "path.within": { params: [["string"], ["string"]], result: "bool", apply: onTexts("path.within", 2, within) },
  "path.join": { params: [["string"], ["string"]], result: "string", apply: onTexts("path.join", 2, join) },
  "path.base": { params: [["string"]], result: "string", apply: onTexts("path.base", 1, base) },
};
