import { type Answer, odd } from "./values.ts";

/** What docs/policy.md calls odd in a path, character by character. */
function isOddPath(text: string): boolean {
  if (text === "" || text.length > 4096 || text[0] === "~") return true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 32 || code === 127 || text[at] === "\\") return true;
    const escaped = text[at] === "%" ? text.slice(at + 1, at + 3).toLowerCase() : "";
    if (["2e", "2f", "5c", "00", "25"].includes(escaped)) return true;
    // A character that is a dot or a slash in disguise.
    if (text[at] !== "." && text[at] !== "/" && /[./]/.test((text[at] ?? "").normalize("NFKC"))) return true;
  }
  return false;
}

/** The names along a path with `.` and `..` taken; a relative path keeps the `..` that lead above where it begins. */
function steps(text: string): string[] {
  const taken: string[] = [];
  for (const name of text.split("/").filter((one) => one !== "" && one !== ".")) {
    const last = taken[taken.length - 1];
    if (name !== "..") taken.push(name);
    else if (last !== undefined && last !== "..") taken.length -= 1;
    else if (text[0] !== "/") taken.push("..");
  }
  return taken;
}

export function pathWithin(path: string, directory: string): Answer {
  if (isOddPath(path) || isOddPath(directory) || path[0] !== "/" || directory[0] !== "/") return odd;
  const outer = steps(directory);
  return outer.join("/") === steps(path).slice(0, outer.length).join("/");
}

export function pathJoin(directory: string, path: string): Answer {
  if (isOddPath(path) || isOddPath(directory) || path[0] === "/") return odd;
  const inner = steps(path);
  if (inner[0] === "..") return odd;
  return `${directory[0] === "/" ? "/" : ""}${steps(directory).concat(inner).join("/")}`;
}

export function pathBase(path: string): Answer {
  const last = isOddPath(path) ? undefined : steps(path).pop();
  return last === undefined || last === ".." ? odd : last;
}

interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

const letters = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";

/** A URL as every client reads it, or undefined. */
function addressOf(text: string): Address | undefined {
  if (text.length > 8192) return undefined;
  for (const character of text) {
    if (character <= " " || character > "~" || character === "\\") return undefined;
  }
  const colon = text.indexOf("://");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme === "" || !letters.includes(scheme[0] ?? " ")) return undefined;
  if ([...scheme].some((one) => !`${letters}${digits}+.-`.includes(one))) return undefined;
  const rest = text.slice(colon + 3);
  const ends = ["/", "?", "#"].map((one) => rest.indexOf(one)).filter((at) => at >= 0);
  const end = Math.min(rest.length, ...ends);
  const host = hostOf(rest.slice(0, end));
  if (host === undefined) return undefined;
  return { scheme, host, path: (rest.slice(end).split(/[?#]/)[0] ?? "") || "/" };
}

function hostOf(authority: string): string | undefined {
  if (authority === "" || authority.includes("@")) return undefined;
  const parts = authority.toLowerCase().split(":");
  // Bracketed addresses are not made by the generator.
  const [host = "", port = ""] = parts;
  if (parts.length > 2 || port.length > 5 || [...port].some((one) => !digits.includes(one))) return undefined;
  const labels = host.split(".");
  for (const label of labels) {
    if (label === "" || label.length > 63 || label[0] === "-" || label[label.length - 1] === "-") return undefined;
    if ([...label].some((one) => !`${letters}${digits}-`.includes(one))) return undefined;
  }
  if (host.length > 253) return undefined;
  const last = labels[labels.length - 1] ?? "";
  const looksLikeNumber = /^([0-9]+|0x[0-9a-f]*)$/.test(last);
  const isAddress =
    labels.length === 4 && labels.every((label) => String(Number(label)) === label && Number(label) < 256);
  return looksLikeNumber && !isAddress ? undefined : host;
}

export function urlHost(text: string): Answer {
  return addressOf(text)?.host ?? odd;
}

export function urlScheme(text: string): Answer {
  return addressOf(text)?.scheme ?? odd;
}

export function urlPath(text: string): Answer {
  const address = addressOf(text);
  if (!address) return odd;
  const taken: string[] = [];
  const names = address.path.split("/").slice(1);
  for (const [index, name] of names.entries()) {
    for (const [at, character] of [...name].entries()) {
      if (character !== "%") continue;
      const escaped = name.slice(at + 1, at + 3).toLowerCase();
      if (!/^[0-9a-f]{2}$/.test(escaped) || ["2e", "2f", "5c", "00", "25"].includes(escaped)) return odd;
    }
    if (name === "..") taken.pop();
    else if (name !== ".") taken.push(name);
    if (index === names.length - 1 && (name === "." || name === "..")) taken.push("");
  }
  return `/${taken.join("/")}`;
}
