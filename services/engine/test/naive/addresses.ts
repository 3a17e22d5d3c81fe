import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { type Answer, type Known, odd } from "./values.ts";

/** Where IPv6 addresses have IPv4 ones inside: NAT64, 6to4, Teredo, and IPv4-compatible ones but `::` and `::1`. */
const hiding = new BlockList();
for (const [start, bits] of [
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2002::", 16],
  ["2001::", 32],
  ["::", 96],
] as const) {
  hiding.addSubnet(start, bits, "ipv6");
}
const plain = new BlockList();
plain.addSubnet("::", 127, "ipv6");
const mapped = new BlockList();
mapped.addSubnet("::ffff:0:0", 96, "ipv6");

/** An address in IPv6's form, or undefined: what Node knows as an address, without a zone; a host's brackets go. */
function addressOf(text: string, flaw: string | undefined): string | undefined {
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : "";
  const bare = isIPv6(inner) ? inner : text;
  if (bare.includes("%")) return undefined;
  if (isIPv4(bare)) return `::ffff:${bare}`;
  const stripped = bare.replace(/(^|[.])0+(?=[0-9])/g, "$1");
  if (flaw === "zeros-before-bytes-are-dropped" && isIPv4(stripped)) return `::ffff:${stripped}`;
  return isIPv6(bare) ? bare : undefined;
}

function rangesOf(given: Known): readonly string[] | undefined {
  const texts = Array.isArray(given) ? (given as readonly Known[]) : [given];
  const isRange = (one: Known) =>
    typeof one === "string" && one.split("/").length === 2 && isIP(one.split("/")[0] ?? "") > 0;
  return texts.every(isRange) ? (texts as readonly string[]) : undefined;
}

function partsOf(range: string): readonly [start: string, bits: number] {
  const [start = "", bits = ""] = range.split("/");
  return isIPv4(start) ? [`::ffff:${start}`, Number(bits) + 96] : [start, Number(bits)];
}

/** `ip.within(a, range)`; ranges are the generator's own, which begin where they should. */
export function ipWithin([text = null, given = null]: readonly Known[], flaw: string | undefined): Answer {
  const ranges = rangesOf(given)?.map(partsOf);
  const address = typeof text === "string" ? addressOf(text, flaw) : undefined;
  if (!ranges || address === undefined) return odd;
  const list = new BlockList();
  for (const [start, bits] of ranges) list.addSubnet(start, bits, "ipv6");
  const isMapped = mapped.check(address, "ipv6");
  if (flaw === "mapped-addresses-are-strangers" && isMapped && text !== address.slice(7)) return false;
  if (list.check(address, "ipv6")) return true;
  const asksForV4 = ranges.some(([start, bits]) => bits >= 96 && mapped.check(start, "ipv6"));
  const hides = hiding.check(address, "ipv6") && !plain.check(address, "ipv6");
  return asksForV4 && hides && flaw !== "hidden-addresses-are-elsewhere" ? odd : false;
}
