import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaintsOf, outcomeOf, resultOf } from "../../test/conditions.ts";

const addresses = (to: string | string[]) => resultOf("email.addresses(input.to)", { input: { to } });

describe("email.addresses", () => {
  it.each([
    ["a@acme.com", ["a@acme.com"]],
    ["Ada@ACME.com", ["ada@acme.com"]],
    ["evil@x.com, a@acme.com", ["evil@x.com", "a@acme.com"]],
    ["a@acme.com,evil@x.com", ["a@acme.com", "evil@x.com"]],
    ["Ada Lovelace <ada@acme.com>", ["ada@acme.com"]],
    ['"Ada B. Lovelace" <ada@acme.com>', ["ada@acme.com"]],
    ["Jürgen Müller <j.mueller@acme.com>, <x@y.org>", ["j.mueller@acme.com", "x@y.org"]],
    ["Acme <evil@acme.com.x.com>", ["evil@acme.com.x.com"]],
    ["o'brien+tag_1@mail-2.acme.co.uk", ["o'brien+tag_1@mail-2.acme.co.uk"]],
    ["a@xn--cme-hoa.com", ["a@xn--cme-hoa.com"]],
  ])("of %j are %j", (to, expected) => expect(addresses(to)).toEqual(expected));

  it("reads a list of texts, each of which may hold several", () => {
    expect(addresses(["a@acme.com", "B <b@acme.com>, evil@x.com"])).toEqual(["a@acme.com", "b@acme.com", "evil@x.com"]);
  });

  it.each([
    ["nothing", ""],
    ["blanks", "  "],
    ["an empty item", "a@acme.com,,b@acme.com"],
    ["a comma at the end", "a@acme.com,"],
    ["a word", "root"],
    ["another separator", "evil@x.com; a@acme.com"],
    ["blanks between", "evil@x.com a@acme.com"],
    ["an address for a name", "a@acme.com <evil@x.com>"],
    ["a quoted address for a name", '"a@acme.com" <evil@x.com>'],
    ["a comma in a name", '"x, a@acme.com" <evil@x.com>'],
    ["a quote that ends early", '"a" <a@acme.com>" <evil@x.com>'],
    ["an escaped quote", '"a\\" <a@acme.com>" <evil@x.com>'],
    ["two bracketed", "<evil@x.com><a@acme.com>"],
    ["brackets the wrong way", ">a@acme.com<"],
    ["an open bracket", "x <a@acme.com"],
    ["a comment", "evil@x.com(a@acme.com)"],
    ["a comment in the domain", "a@acme.com(.x.com)"],
    ["a group", "friends: evil@x.com, a@acme.com;"],
    ["a quoted local part", '"evil@x.com"@acme.com'],
    ["a quoted local part with a space", '"a b"@acme.com'],
    ["several @", "evil@x.com@acme.com"],
    ["a percent route", "evil%x.com@acme.com"],
    ["a bang path", "x.com!evil@acme.com"],
    ["a source route", "<@acme.com:evil@x.com>"],
    ["an encoded word", "=?utf-8?q?evil=40x.com?=@acme.com"],
    ["an encoded name", "=?utf-8?q?Ada?= <a@acme.com>"],
    ["a header", "a@acme.com\r\nBcc: evil@x.com"],
    ["a line feed", "a@acme.com\nevil@x.com"],
    ["a tab", "a@acme.com,\tevil@x.com"],
    ["NUL", "a@acme.com\u0000.x.com"],
    ["next line", "a@acme.com\u0085"],
    ["a line separator", "a@acme.com\u2028evil@x.com"],
    ["a Cyrillic a", "a@\u0430cme.com"],
    ["a Kelvin sign", "a@ban\u212a.com"],
    ["a dotless i", "a@m\u0131nd.com"],
    ["a fullwidth dot", "a@acme\uff0ecom"],
    ["an ideographic stop", "a@acme\u3002com"],
    ["a fullwidth at", "evil@x.com\uff20acme.com"],
    ["a fullwidth comma", "a@acme.com\uff0cevil@x.com"],
    ["a zero width space", "a@acme.com\u200b"],
    ["a soft hyphen", "a@ac\u00adme.com"],
    ["an override", "\u202emoc.emca@a"],
    ["a dot at the end", "a@acme.com."],
    ["a dot first", "a@.acme.com"],
    ["two dots", "a@acme..com"],
    ["a dot at a local part's end", "a.@acme.com"],
    ["an option", "-oQ/tmp@acme.com"],
    ["an option without a path", "-x@acme.com"],
    ["a program", "|sh@acme.com"],
    ["a file", "/etc/passwd@acme.com"],
    ["a backslash", "a\\@acme.com"],
    ["one label", "a@localhost"],
    ["an address literal", "a@[127.0.0.1]"],
    ["a bare number", "a@127.0.0.1"],
    ["a hidden number", "a@0x7f.0x1"],
    ["a hyphen first", "a@-acme.com"],
    ["an underscore", "a@ac_me.com"],
    ["a port", "a@acme.com:25"],
    ["a scheme", "mailto:a@acme.com"],
    ["a query", "a@acme.com?bcc=evil@x.com"],
    ["an empty punycode", "a@xn--.com"],
    ["a long local part", `${"a".repeat(65)}@acme.com`],
    ["a long label", `a@${"a".repeat(64)}.com`],
    ["a long text", `${"a@acme.com, ".repeat(1000)}a@acme.com`],
  ])("are unknown with %s", (_, to) => expect(addresses(to)).toMatch(/^unknown: an address that /));

  it("never are none, so that a rule about all of them says something", () => {
    expect(addresses([])).toBe("unknown: a list of addresses that is empty");
    expect(resultOf("email.addresses(input.to)", { input: { to: [5] } })).toBe(
      "unknown: email.addresses() of a double",
    );
    expect(resultOf("email.addresses(input.to)", { input: { to: null } })).toBe("unknown: email.addresses() of null");
  });

  it("make the obvious rule the right one", () => {
    const rule = 'email.addresses(input.to).all(a, a.endsWith("@acme.com"))';
    expect(resultOf(rule, { input: { to: "Ada <ada@acme.com>, b@acme.com" } })).toBe(true);
    expect(resultOf(rule, { input: { to: "evil@x.com, a@acme.com" } })).toBe(false);
    expect(resultOf(rule, { input: { to: "evil@xacme.com" } })).toBe(false);
  });

  it.each([
    ["email.addresses(input.to).all(a, a > 5)", "`>` between a string and an int"],
    ["email.addresses(input.to)[0] == 5", "`==` between a string and an int"],
    ["email.addresses(input.to).map(a, email.domain(a)).exists(d, d == 5)", "`==` between a string and an int"],
    ["email.addresses(input.to).filter(a, a.size() > 5.5)[0] == true", "`==` between a string and a bool"],
    ["email.addresses(input.to).all(a, a)", "a macro's condition cannot be a string"],
    ['argv(input.to).contains("rm")', "what `contains` takes cannot be a list"],
    ["email.address(input.to).size() == 1", "unknown function `email.address` (email.addresses?)"],
  ])("are texts: %s does not compile", (text, complaint) => expect(complaintsOf(text)).toEqual([complaint]));

  it("are one plain address each, whatever the text", () => {
    const pieces = fc.constantFrom(
      ...["a", "@", "@", ".", ",", ", ", " ", "<", ">", '"', "acme.com", "x.org", "(", ")", ":", ";", "\\", "\n", "é"],
      ...[
        "\u0430",
        "\u212a",
        "\uff0c",
        "-",
        "+",
        "'",
        "=?",
        "%",
        "!",
        "[",
        "]",
        "a@acme.com",
        "B <b@x.org>",
        '"C d" <c@x.org>',
      ],
      ...["a@acme.com, ", "A <a@acme.com>, "],
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 4 }), (parts) => {
        const found = outcomeOf("email.addresses(input.to)", { input: { to: parts.join("") } });
        if (!Array.isArray(found)) return;
        accepted++;
        expect(found.length).toBeGreaterThan(0);
        for (const address of found) expect(address).toMatch(/^[a-z0-9._+'=-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/);
        expect(found.length).toBe(parts.join("").split("@").length - 1);
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe("email.domain", () => {
  const domain = (to: string) => resultOf("email.domain(input.to)", { input: { to } });

  it("is the whole domain of one address", () => {
    expect(domain("Ada <ada@EU.acme.com>")).toBe("eu.acme.com");
    expect(domain("a@acme.com, b@acme.com")).toBe("unknown: an address that is more than one");
    expect(domain("acme.com")).toBe("unknown: an address that has no @");
  });
});
