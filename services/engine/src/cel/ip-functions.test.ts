import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, resultOf } from "../../test/conditions.ts";
import { formatAddress, parseAddress } from "./ip-address.ts";

const within = (address: string, range: string | string[]) =>
  resultOf(`ip.within(input.ip, ${JSON.stringify(range)})`, { input: { ip: address } });

describe("ip.within", () => {
  it.each([
    ["10.1.2.3", "10.0.0.0/8"],
    ["10.0.0.0", "10.0.0.0/8"],
    ["10.255.255.255", "10.0.0.0/8"],
    ["192.168.1.1", "192.168.1.1/32"],
    ["1.2.3.4", "0.0.0.0/0"],
    ["::ffff:10.1.2.3", "10.0.0.0/8"],
    ["::FFFF:0a01:0203", "10.0.0.0/8"],
    ["0:0:0:0:0:ffff:10.1.2.3", "10.0.0.0/8"],
    ["10.1.2.3", "::ffff:0:0/96"],
    ["10.1.2.3", "::ffff:10.0.0.0/104"],
    ["[fd00::1]", "fd00::/8"],
    ["fd12:3456::1", "fd00::/8"],
    ["::1", "::1/128"],
    ["2001:db8:0:0:1::", "2001:db8::/32"],
  ])("%s lies in %s", (address, range) => expect(within(address, range)).toBe(true));

  it.each([
    ["11.0.0.0", "10.0.0.0/8"],
    ["9.255.255.255", "10.0.0.0/8"],
    ["172.32.0.1", "172.16.0.0/12"],
    ["fe00::1", "fd00::/8"],
    ["::1", "10.0.0.0/8"],
    ["::", "0.0.0.0/0"],
    ["2001:db8::1", "0.0.0.0/0"],
    ["::ffff:11.0.0.1", "10.0.0.0/8"],
  ])("%s lies outside %s", (address, range) => expect(within(address, range)).toBe(false));

  it.each([
    ["no address", "api.acme.com"],
    ["nothing", ""],
    ["a leading zero", "010.0.0.1"],
    ["octal", "0177.0.0.1"],
    ["hexadecimal", "0x7f.0.0.1"],
    ["a number", "2130706433"],
    ["two parts", "127.1"],
    ["five parts", "1.2.3.4.5"],
    ["a big part", "256.1.1.1"],
    ["a dot at the end", "10.0.0.1."],
    ["a blank", " 10.0.0.1"],
    ["a line feed", "10.0.0.1\n"],
    ["a port", "10.0.0.1:80"],
    ["a sign", "+10.0.0.1"],
    ["fullwidth digits", "\uff11\uff10.0.0.1"],
    ["Arabic digits", "\u0661\u0660.0.0.1"],
    ["an ideographic stop", "10\u30020.0.1"],
    ["a zone", "fe80::1%eth0"],
    ["an encoded zone", "fe80::1%25eth0"],
    ["brackets around IPv4", "[10.0.0.1]"],
    ["half a bracket", "[::1"],
    ["two gaps", "1::2::3"],
    ["three colons", ":::1"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["a gap of nothing", "1:2:3:4:5:6:7:8::"],
    ["seven groups", "1:2:3:4:5:6:7"],
    ["a long group", "00001::"],
    ["IPv4 in the middle", "::10.0.0.1:1"],
    ["IPv4 with a leading zero inside", "::ffff:010.0.0.1"],
    ["a range", "10.0.0.0/8"],
    ["a long text", "1".repeat(5000)],
  ])("is unknown for %s", (_, address) => {
    expect(within(address, "10.0.0.0/8")).toBe("unknown: not an IP address in its usual form");
  });

  it.each([
    "fe80::5efe:10.0.0.1",
    "fe80::200:5efe:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:a00:1::",
    "2001:0:a00:1::1",
    "::10.0.0.1",
  ])("is unknown for %s, which may lead to an IPv4 address, where one is asked about", (address) => {
    expect(within(address, "10.0.0.0/8")).toMatch(/^unknown: an IPv6 address that may lead/);
    expect(within(address, ["10.0.0.0/8", `${formatAddress(parseAddress(address) ?? [])}/128`])).toBe(true);
    expect(within(address, "fd00::/8")).toBe(false);
  });

  it("takes several ranges", () => {
    const ranges = ["10.0.0.0/8", "192.168.0.0/16", "fc00::/7"];
    expect(within("192.168.7.7", ranges)).toBe(true);
    expect(within("fd00::7", ranges)).toBe(true);
    expect(within("8.8.8.8", ranges)).toBe(false);
  });

  it.each([
    ['ip.within(input.ip, "10.0.0.0")', "a range without a length: `10.0.0.0` (10.0.0.0/32?)"],
    ['ip.within(input.ip, "10.0.0.1/8")', "a range that begins in its middle: `10.0.0.1/8` (10.0.0.0/8?)"],
    ['ip.within(input.ip, ["10.0.0.0/8", "fd00::1/8"])', "a range that begins in its middle: `fd00::1/8` (fd00::/8?)"],
    ['ip.within(input.ip, "10.0.0.0/33")', "a range's length is 0 to 32: `10.0.0.0/33`"],
    ['ip.within(input.ip, "10.0.0.0/08")', "a range's length is 0 to 32: `10.0.0.0/08`"],
    ['ip.within(input.ip, "ten")', "not a range of addresses: `ten`"],
    ["ip.within(input.ip, [5])", "a range that is no text: `5`"],
    ['ip.in(input.ip, "10.0.0.0/8")', "unknown function `ip.in` (ip.within?)"],
    ['ip.withn(input.ip, "10.0.0.0/8")', "unknown function `ip.withn` (ip.within?)"],
  ])("%s does not compile", (text, complaint) => expect(complaintsOf(text)).toEqual([complaint]));

  it("reads ranges that a call brings when it is judged", () => {
    const input = { ip: "10.0.0.1", range: "10.0.0.0/8", odd: "10/8" };
    expect(resultOf("ip.within(input.ip, input.range)", { input })).toBe(true);
    expect(resultOf("ip.within(input.ip, input.odd)", { input })).toBe("unknown: not a range of addresses");
  });

  it("agrees with Node's block list", () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((v4) => `::ffff:${v4}`),
    );
    fc.assert(
      fc.property(address, fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (text, start, length) => {
        const v4 = !start.includes(":");
        const groups = parseAddress(text);
        // The generator also gives what RFC 5952 no longer writes; what we read, Node must read too.
        if (groups) expect(isIP(text)).toBeGreaterThan(0);
        const bits = v4 ? length % 33 : length;
        const list = new BlockList();
        list.addSubnet(start, bits, v4 ? "ipv4" : "ipv6");
        const mapped = groups && formatAddress(groups);
        const ours = within(
          text,
          [`${start}/${bits}`].map((range) => aligned(range)),
        );
        if (mapped === undefined || typeof ours !== "boolean") return;
        // Node keeps the families apart but for the mapped form; ours are one.
        if (isIP(mapped) === 4 && !v4) return;
        expect(ours).toBe(list.check(mapped, isIP(mapped) === 4 ? "ipv4" : "ipv6"));
      }),
      { numRuns: 2000 },
    );
  });
});

/** The range with its host bits cleared, as its author would have to write it. */
function aligned(range: string): string {
  const complaint = complaintsOf(`ip.within("1.1.1.1", ${JSON.stringify(range)})`)[0];
  return /\((.*)\?\)$/.exec(complaint ?? "")?.[1] ?? range;
}
