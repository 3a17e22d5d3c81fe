import { type Answer, type Known, odd } from "./values.ts";

const letters = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const localSigns = `${letters}${digits}.+_'=-`;
const isMadeOf = (text: string, signs: string) => [...text].every((one) => signs.includes(one));

/** The pieces between commas. A comma in a quoted name ends a piece too, and leaves halves that are no address. */
function pieces(text: string): string[] {
  const found = [""];
  for (const character of text) {
    if (character === ",") found.push("");
    else found[found.length - 1] += character;
  }
  return found.map((piece) => piece.replace(/^ +| +$/g, ""));
}

/** The address in `ada@acme.com` or `Ada <ada@acme.com>`. */
function addressIn(piece: string, flaw: string | undefined): string | undefined {
  if (piece[piece.length - 1] !== ">") return plainAddress(piece, flaw);
  const open = piece.indexOf("<");
  let name = piece.slice(0, Math.max(open, 0)).trim();
  if (name.length > 1 && name[0] === '"' && name[name.length - 1] === '"') name = name.slice(1, -1);
  const isPlainName = [...name].every((one) => /[\p{L}\p{M}\p{N}]/u.test(one) || " ._'-".includes(one));
  return open >= 0 && isPlainName ? plainAddress(piece.slice(open + 1, -1), flaw) : undefined;
}

function plainAddress(text: string, flaw: string | undefined): string | undefined {
  const small = [...text].map((one) => (one >= "A" && one <= "Z" ? one.toLowerCase() : one)).join("");
  const parts = small.split("@");
  const wanted = flaw === "second-at-is-the-domain" ? parts.length >= 2 : parts.length === 2;
  const [local = ""] = parts;
  const domain = parts[parts.length - 1] ?? "";
  if (!wanted || local === "" || local.length > 64 || !isMadeOf(local, localSigns)) return undefined;
  if (local[0] === "-" || local.split(".").includes("")) return undefined;
  const labels = domain.split(".");
  for (const label of labels) {
    const dashed = label[0] === "-" || label[label.length - 1] === "-";
    if (label === "" || label.length > 63 || dashed || !isMadeOf(label, `${letters}${digits}-`)) return undefined;
  }
  if (labels.length < 2 || domain.length > 253 || isMadeOf(labels[labels.length - 1] ?? "", digits)) return undefined;
  return flaw === "capitals-of-addresses-count" ? text : `${local}@${domain}`;
}

function listed(text: string, flaw: string | undefined): string[] | undefined {
  if (text.length > 8192 || [...text].some((one) => one < " " || one === "\u007f")) return undefined;
  const found = pieces(text).map((piece) => addressIn(piece, flaw));
  return found.includes(undefined) ? undefined : (found as string[]);
}

export function emailAddresses([given = null]: readonly Known[], flaw: string | undefined): Answer {
  const texts = Array.isArray(given) ? (given as readonly Known[]) : [given];
  const found: string[] = [];
  for (const text of texts) {
    const addresses = typeof text === "string" ? listed(text, flaw) : undefined;
    if (!addresses) return odd;
    found.push(...(flaw === "first-address-speaks-for-all" ? addresses.slice(0, 1) : addresses));
  }
  return found.length === 0 ? odd : found;
}

export function emailDomain([text = null]: readonly Known[], flaw: string | undefined): Answer {
  const addresses = typeof text === "string" ? listed(text, flaw) : undefined;
  return addresses?.length === 1 ? ((addresses[0] ?? "").split("@").pop() ?? odd) : odd;
}
