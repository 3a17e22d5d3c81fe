import { type Frame, scanSteps, spend } from "./frame.ts";
import type { FunctionTable } from "./function-table.ts";
import { costFailure, Failure, type Outcome, typeConfusion, type Value } from "./value.ts";

const urlCharsMax = 8192;
const odd = (why: string) => new Failure("error", `a URL that ${why}`);

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

const shape = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/;
const hostName =
  /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/**
 * The parts of a URL that every client reads alike. Unknown for what clients read differently or what hides its host:
 * no scheme or host, user names, backslashes, white space and control characters, characters outside ASCII, `%` in a
 * host, a trailing dot, and hosts that are numbers in disguise (`0x7f.1`, `2130706433`).
 */
function parse(text: string): Parts | Failure {
  if (text.length > urlCharsMax) return odd("is too long");
  if (!/^[\x21-\x7e]+$/.test(text)) return odd("has white space, control characters or characters outside ASCII");
  if (text.includes("\\")) return odd("has a backslash");
  const [, scheme, authority, path] = shape.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || authority === "") return odd("has no scheme or no host");
  if (authority.includes("@")) return odd("carries a user name");
  const host = hostOf(authority);
  return host instanceof Failure
    ? host
    : { scheme: scheme.toLowerCase(), host, path: path === "" ? "/" : (path ?? "/") };
}

function hostOf(authority: string): string | Failure {
  const bracketed = /^(\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.exec(authority);
  if (bracketed?.[1]) return bracketed[1].toLowerCase();
  const host = authority.replace(/:\d{0,5}$/, "").toLowerCase();
  if (!hostName.test(host)) return odd("has a host that is not a plain name or address");
  const last = host.slice(host.lastIndexOf(".") + 1);
  const numeric = /^(\d+|0x[0-9a-f]*)$/.test(last);
  const address = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/.test(host);
  return numeric && !address ? odd("has a number for a host") : host;
}

/** A path with `.` and `..` resolved. Unknown if escapes could hide a dot, a slash or a backslash. */
function resolved(path: string): Outcome {
  if (/%(2e|2f|5c|00|25)/i.test(path) || /%(?![0-9A-Fa-f]{2})/.test(path)) return odd("hides part of its path");
  const parts: string[] = [];
  const given = path.split("/").slice(1);
  for (const [index, part] of given.entries()) {
    const last = index === given.length - 1;
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
    if (last && (part === "." || part === "..")) parts.push("");
  }
  return `/${parts.join("/")}`;
}

function part(name: string, choose: (parts: Parts) => Outcome) {
  return ([text]: readonly Value[], frame: Frame): Outcome => {
    if (typeof text !== "string") return typeConfusion(`${name}()`, text as Value);
    if (!spend(frame, 2 * scanSteps(text.length))) return costFailure;
    const parts = parse(text);
    return parts instanceof Failure ? parts : choose(parts);
  };
}

export const urlFunctions: FunctionTable = {
  "url.scheme": { params: [["string"]], result: "string", apply: part("url.scheme", (parts) => parts.scheme) },
  "url.host": { params: [["string"]], result: "string", apply: part("url.host", (parts) => parts.host) },
  "url.path": { params: [["string"]], result: "string", apply: part("url.path", (parts) => resolved(parts.path)) },
};
