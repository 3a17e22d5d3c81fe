/** An address as eight groups of sixteen bits. IPv4 stands in IPv6's mapped form, so that both spellings are one. */
export type Groups = readonly number[];

export interface Range {
  readonly groups: Groups;
  /** How many leading bits count, of 128. */
  readonly bits: number;
}

/** No address is longer; a longer text is not looked at. */
export const addressCharsMax = 45;
const mapped: Groups = [0, 0, 0, 0, 0, 0xffff];
const decimalByte = /^(?:0|[1-9][0-9]{0,2})$/;
const hexGroup = /^[0-9a-fA-F]{1,4}$/;

/** Reads an IPv4 address in four decimal parts without leading zeros, or an IPv6 address by RFC 4291 without a zone. */
export function parseAddress(text: string): Groups | undefined {
  if (text.length > addressCharsMax) return undefined;
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): Groups | undefined {
  const tail = v4Tail(text);
  return tail && [...mapped, ...tail];
}

function v4Tail(text: string): Groups | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => decimalByte.test(part))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return Math.max(a, b, c, d) > 255 ? undefined : [a * 256 + b, c * 256 + d];
}

function parseV6(text: string): Groups | undefined {
  const gap = text.indexOf("::");
  if (gap < 0) {
    const all = groupsOf(text, true);
    return all?.length === 8 ? all : undefined;
  }
  // A second gap leaves an empty group, which is none.
  const [before, after] = [text.slice(0, gap), text.slice(gap + 2)];
  const head = before === "" ? [] : groupsOf(before, false);
  const tail = after === "" ? [] : groupsOf(after, true);
  if (!head || !tail || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function groupsOf(text: string, last: boolean): Groups | undefined {
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const tail = last && index === parts.length - 1 && part.includes(".") ? v4Tail(part) : undefined;
    if (tail) groups.push(...tail);
    else if (hexGroup.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** Reads a range such as `10.0.0.0/8` or `fd00::/8`; says what is wrong otherwise. */
export function parseRange(text: string): Range | { readonly problem: string; readonly nearest?: string } {
  const slash = text.indexOf("/");
  const groups = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!groups) return { problem: "not a range of addresses" };
  const v4 = !text.includes(":");
  const most = v4 ? 32 : 128;
  if (slash < 0) return { problem: "a range without a length", nearest: `${text}/${most}` };
  const length = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > most)
    return { problem: `a range's length is 0 to ${most}` };
  const bits = Number(length) + (v4 ? 96 : 0);
  const start = masked(groups, bits);
  if (start.some((group, index) => group !== groups[index])) {
    return { problem: "a range that begins in its middle", nearest: `${formatAddress(start)}/${length}` };
  }
  return { groups, bits };
}

function masked(groups: Groups, bits: number): Groups {
  return groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, bits - 16 * index));
    return group & (0xffff << (16 - kept)) & 0xffff;
  });
}

export function inRange(groups: Groups, { groups: start, bits }: Range): boolean {
  const whole = bits >> 4;
  for (let index = 0; index < whole; index++) {
    if (groups[index] !== start[index]) return false;
  }
  const rest = bits & 15;
  return rest === 0 || ((groups[whole] ?? 0) ^ (start[whole] ?? 0)) >> (16 - rest) === 0;
}

function isV4(groups: Groups): boolean {
  return mapped.every((group, index) => groups[index] === group);
}

/** Whether a range holds IPv4 addresses only. */
export function isV4Range({ groups, bits }: Range): boolean {
  return bits >= 96 && isV4(groups);
}

/**
 * Whether an IPv6 address may lead to an IPv4 one that it carries: IPv4-compatible (RFC 4291), NAT64 (RFC 6052, 8215),
 * 6to4 (RFC 3056), Teredo (RFC 4380), IPv4-translated (RFC 2765), ISATAP (RFC 5214).
 */
export function carriesV4(groups: Groups): boolean {
  const [a, b, c] = groups;
  if (a === 0x2002 || (a === 0x2001 && b === 0)) return true;
  if (a === 0x64 && b === 0xff9b && (c === 1 || groups.slice(2, 6).every((group) => group === 0))) return true;
  if (groups[5] === 0x5efe && ((groups[4] ?? 0) & 0xfdff) === 0) return true;
  if (groups[4] === 0xffff && groups[5] === 0 && groups.slice(0, 4).every((group) => group === 0)) return true;
  const compatible = groups.slice(0, 6).every((group) => group === 0);
  return compatible && (groups[6] !== 0 || (groups[7] ?? 0) > 1);
}

/** IPv4 in four parts, IPv6 as RFC 5952 writes it. */
export function formatAddress(groups: Groups): string {
  if (isV4(groups)) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return formatV6(groups);
}

/** Eight groups in hexadecimal, the first longest run of two or more zeros left out. */
export function formatV6(groups: Groups): string {
  let [from, length] = [0, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, from).join(":")}::${hex.slice(from + length).join(":")}`;
}
