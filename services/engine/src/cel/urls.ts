import { type Frame, scanSteps, spend } from "./frame.ts";
import type { FunctionTable, LiteralProblem } from "./function-table.ts";
import { endsInNumber, isHostName } from "./host-name.ts";
import { formatV6, parseAddress } from "./ip-address.ts";
import { hasLookAlikes, hasUnseen } from "./look-alikes.ts";
import { costFailure, Failure, type Outcome, typeConfusion, type Value } from "./value.ts";

const urlCharsMax = 8192;
const odd = (why: string) => new Failure("error", `a URL that ${why}`);

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

const shape = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/;
const portMax = 65_535;
/** Schemes under which what stands where a host stands is none, or is not where programs connect to. */
const hostless = new Set(
  [
    "about blob data file filesystem jar javascript mailto tel vbscript view-source",
    // What Java and PHP open with the same call as a URL, and look for on their own disk.
    "netdoc phar php glob expect zip rar ogg compress.zlib compress.bzip2",
  ]
    .join(" ")
    .split(" "),
);

/**
 * The parts of a URL that every client reads alike. Unknown for what clients read differently or what hides its host:
 * no scheme or host, user names, backslashes, white space and control characters, characters outside ASCII, `%` in a
 * host, a trailing dot, and hosts that are numbers in disguise (`0x7f.1`, `2130706433`). Punycode is read as it stands.
 */
function parse(text: string): Parts | Failure {
  if (text.length > urlCharsMax) return odd("is too long");
  if (!/^[\x21-\x7e]+$/.test(text)) return odd("has white space, control characters or characters outside ASCII");
  if (text.includes("\\")) return odd("has a backslash");
  const [, scheme, authority, path] = shape.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || authority === "") return odd("has no scheme or no host");
  if (authority.includes("@")) return odd("carries a user name");
  const host = hostOf(authority.toLowerCase());
  return host instanceof Failure
    ? host
    : { scheme: scheme.toLowerCase(), host, path: path === "" ? "/" : (path ?? "/") };
}

function hostOf(authority: string): string | Failure {
  const end = authority.startsWith("[") ? authority.indexOf("]") + 1 : authority.indexOf(":");
  const [host, port] = end < 0 ? [authority, ""] : [authority.slice(0, end), authority.slice(end)];
  if (port !== "" && (!/^:[0-9]{0,5}$/.test(port) || Number(port.slice(1)) > portMax)) return odd("has an odd port");
  if (host.startsWith("[")) {
    const address = host.includes(":") ? parseAddress(host.slice(1, -1)) : undefined;
    return address ? `[${formatV6(address)}]` : odd("has a host that is not a plain name or address");
  }
  if (!isHostName(host)) return odd("has a host that is not a plain name or address");
  return endsInNumber(host) && !parseAddress(host) ? odd("has a number for a host") : host;
}

/** Where a URL leads to. Schemes that do not lead to their host are unknown. */
function leadsTo({ scheme, host }: Parts): Outcome {
  return hostless.has(scheme) ? odd("does not lead to its host") : host;
}

/**
 * A path with `.` and `..` resolved. Unknown if escapes could hide a dot, a slash or a backslash, or are no UTF-8, for
 * escapes of what needs none (`/%61dmin` is `/admin`: RFC 3986, 6.2.2.2), and for parameters (`;`) and empty parts, which
 * some servers drop before they look where a path leads.
 */
function resolved(path: string): Outcome {
  if (path.includes("%") && !plainlyEscaped(path)) return odd("hides part of its path");
  if (path.includes(";") || path.includes("//")) return odd("has parameters or empty parts in its path");
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

function plainlyEscaped(path: string): boolean {
  if (/%(?:25|2[def]|5[cf]|7e|3[0-9b]|[46][1-9a-f]|[57][0-9a])/i.test(path)) return false;
  try {
    const read = decodeURIComponent(path);
    return !hasUnseen(read) && !hasLookAlikes(read);
  } catch {
    // No two hexadecimal digits, or bytes that are no UTF-8: overlong forms among them.
    return false;
  }
}

/** What a text can never be, with what was meant. */
function neverText(name: string, isOne: (text: string) => boolean, expected: string, meant: (text: string) => Outcome) {
  return (literal: Value): LiteralProblem | undefined => {
    if (typeof literal !== "string" || isOne(literal)) return undefined;
    const nearest = meant(literal);
    const message = `\`${name}\` is never ${JSON.stringify(literal.slice(0, 100))}`;
    return { message, expected, ...(typeof nearest === "string" && { nearest: JSON.stringify(nearest) }) };
  };
}

/** The host that was meant by a text with more than a host in it, or with less care. */
function meantHost(text: string): Outcome {
  const authority = text
    .toLowerCase()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, "")
    .replace(/[/?#].*$/, "");
  return hostOf(authority.replace(/\.$/, ""));
}

function part(name: string, choose: (parts: Parts) => Outcome) {
  return ([text]: readonly Value[], frame: Frame): Outcome => {
    if (typeof text !== "string") return typeConfusion(`${name}()`, text as Value);
    if (!spend(frame, 2 * scanSteps(text.length))) return costFailure;
    const parts = parse(text);
    return parts instanceof Failure ? parts : choose(parts);
  };
}

const isPath = (text: string) => /^[\x21-\x7e]+$/.test(text) && !/[?#]/.test(text) && resolved(text) === text;
const isScheme = (text: string) => /^[a-z][a-z0-9+.-]*$/.test(text);

export const urlFunctions: FunctionTable = {
  "url.scheme": {
    params: [["string"]],
    result: "string",
    never: neverText("url.scheme", isScheme, "a scheme in lower case, such as https", (text) =>
      text.toLowerCase().replace(/:.*$/, ""),
    ),
    apply: part("url.scheme", (parts) => parts.scheme),
  },
  "url.host": {
    params: [["string"]],
    result: "string",
    never: neverText("url.host", (text) => hostOf(text) === text, "a host in lower case, without a port", meantHost),
    apply: part("url.host", leadsTo),
  },
  "url.path": {
    params: [["string"]],
    result: "string",
    never: neverText("url.path", isPath, "a resolved path that begins with /, without a query", (text) =>
      resolved(`/${text.replace(/^\/|[?#].*$/g, "")}`),
    ),
    apply: part("url.path", (parts) => resolved(parts.path)),
  },
};
