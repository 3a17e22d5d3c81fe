import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/conditions.ts";

const url = (expression: string, url: string) => resultOf(expression, { input: { url } });

describe("url.host", () => {
  it.each([
    ["https://api.acme.com/v1", "api.acme.com"],
    ["https://API.Acme.com", "api.acme.com"],
    ["https://api.acme.com:8443/v1?x=1#y", "api.acme.com"],
    ["https://api.acme.com?x=@evil.io", "api.acme.com"],
    ["https://api.acme.com.evil.io/", "api.acme.com.evil.io"],
    ["https://evil.io/https://api.acme.com", "evil.io"],
    ["https://evil.io#api.acme.com", "evil.io"],
    ["http://192.168.0.1/", "192.168.0.1"],
    ["http://[::1]:80/", "[::1]"],
    ["https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com"],
    ["https://XN--80AK6AA92E.com/", "xn--80ak6aa92e.com"],
    ["https://a.com:/", "a.com"],
    ["https://a.com:65535/", "a.com"],
    ["http://[0:0:0:0:0:0:0:1]/", "[::1]"],
    ["http://[2001:DB8::0:1]/", "[2001:db8::1]"],
    ["http://[::ffff:10.0.0.1]/", "[::ffff:a00:1]"],
    ["wss://a.com/", "a.com"],
    ["https://a.com/#@evil.io", "a.com"],
  ])("of %s is %s", (given, host) => expect(url("url.host(input.url)", given)).toBe(host));

  it.each([
    "https://api.acme.com@evil.io/",
    "https://api.acme.com:x@evil.io/",
    "https://evil.io\\@api.acme.com/",
    "https:\\\\evil.io/",
    "//evil.io/a",
    "https:evil.io",
    "https:///evil.io",
    "javascript:alert(1)",
    "api.acme.com",
    "",
    "https://\u0430pi.acme.com/",
    "https://api.acme.com\u3002evil.io/",
    "https://api%2eacme.com/",
    "https://api.acme.com./",
    "https://api..com/",
    "https://-a.com/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://0177.0.0.1/",
    "https://256.1.1.1/",
    " https://api.acme.com/",
    "https://api.acme.com/\n",
    "https://ap\ti.acme.com/",
    "https://api.acme.com:99999999/",
    "https://[::1/",
    "https://api.acme.com:65536/",
    "https://api.acme.com:80:80/",
    "https://api.acme.com:8o/",
    "https://api.acme.com:@evil.io/",
    "https://@evil.io/",
    "https://[::1]evil.io/",
    "https://[::1].evil.io/",
    "https://[fe80::1%25eth0]/",
    "https://[1.2.3.4]/",
    "https://[api.acme.com]/",
    "https://[::ffff:010.0.0.1]/",
    "https://api_acme.com/",
    "https://xn--/",
    "https://xn--acme-/",
    "https://api.acme.com\\.evil.io/",
    "https://api.acme.com\u0000.evil.io/",
    "https://api.acme.com\uff0fevil.io/",
    "https://api.acme.com\uff20evil.io/",
    "https://api.acme.com\u00adevil.io/",
    "https://\uff41pi.acme.com/",
    "https://ap\u0131.acme.com/",
    "https://api.acme.com\u200b/",
    "https://%61pi.acme.com/",
    "https://api.acme.com%00.evil.io/",
    "https://api.acme.com%252eevil.io/",
    "https://1.2.3.4.5/",
    "https://1.2.3/",
    "https://api.123/",
    "https://api.0x1/",
    "https:/api.acme.com/",
    "https:\n//api.acme.com/",
    "java\nscript://api.acme.com/",
    "javascript://api.acme.com/%0aalert(1)",
    "file://api.acme.com/etc/passwd",
    "data://api.acme.com/x",
    "view-source:https://api.acme.com/",
    "jar:https://evil.io/!/",
    "netdoc://api.acme.com/etc/passwd",
    "phar://api.acme.com/upload.png",
    "blob:https://api.acme.com/x",
    `https://${"a.".repeat(200)}com/`,
    `https://${"a".repeat(64)}.com/`,
    `https://a.com/${"a".repeat(9000)}`,
  ])("of %j is unknown", (given) => expect(url("url.host(input.url)", given)).toMatch(/^unknown: a URL that /));
});

describe("url.scheme and url.path", () => {
  it.each([
    ["url.scheme(input.url)", "HTTPS://a.com/x", "https"],
    ["url.path(input.url)", "https://a.com", "/"],
    ["url.path(input.url)", "https://a.com/v1/../admin", "/admin"],
    ["url.path(input.url)", "https://a.com/v1/./x/..", "/v1/"],
    ["url.path(input.url)", "https://a.com/../../x?y#z", "/x"],
    ["url.path(input.url)", "https://a.com/a%20b", "/a%20b"],
  ])("%s of %s is %s", (expression, given, expected) => expect(url(expression, given)).toBe(expected));

  it.each([
    "https://a.com/v1/%2e%2e/admin",
    "https://a.com/v1%2fadmin",
    "https://a.com/v1/%252e%252e/admin",
    "https://a.com/%5cadmin",
    "https://a.com/%zz",
    "https://a.com/%u002e%u002e/admin",
    "https://a.com/v1/%c0%ae%c0%ae/admin",
    "https://a.com/v1/%e0%80%af/admin",
    "https://a.com/v1/%ef%bc%8fadmin",
    "https://a.com/v1/%0d%0aX:1",
    "https://a.com/v1%3b/admin",
    "https://a.com/%ff",
    "https://a.com/%e2%80%8badmin",
    "https://a.com/%61dmin",
    "https://a.com/%41dmin",
    "https://a.com/v%31/x",
    "https://a.com/user%5fdata",
    "https://a.com/a%2db",
    "https://a.com/%7eada",
  ])("the path of %s is unknown", (given) =>
    expect(url("url.path(input.url)", given)).toBe("unknown: a URL that hides part of its path"),
  );

  it.each(["https://a.com/v1/..;/admin", "https://a.com/;/admin", "https://a.com/v1;x=1", "https://a.com//admin"])(
    "the path of %s is unknown",
    (given) => expect(url("url.path(input.url)", given)).toMatch(/^unknown: a URL that has parameters or empty parts/),
  );
});

describe("beside the URLs of the web's standard", () => {
  const pieces = fc.constantFrom(
    ...[
      "https://",
      "http:/",
      "ws://",
      "ftp://",
      "foo://",
      "//",
      "/",
      "a",
      "API",
      ".acme",
      ".com",
      ".",
      "-",
      "_",
      ":",
      "@",
    ],
    ...[
      "80",
      "0x7f",
      "127.0.0.1",
      "[::1]",
      "[",
      "]",
      "%2e",
      "%",
      "%c3%a9",
      "..",
      "?",
      "#",
      "\\",
      "xn--",
      "xn--80ak6aa92e",
    ],
    ...["\t", " ", "\u0430", "\uff0e", "\u00ad", ";", "1", "99999", "&", "~", "|"],
  );
  const address = fc
    .tuple(fc.constantFrom("https://", "http://", "wss://", "ftp://", ""), fc.array(pieces, { maxLength: 7 }))
    .map(([scheme, rest]) => scheme + rest.join(""));
  const web = (text: string) => (URL.canParse(text) ? new URL(text) : undefined);

  it("url.host never names a host that a browser would not go to", () => {
    let compared = 0;
    fc.assert(
      fc.property(address, (text) => {
        const host = url("url.host(input.url)", text) as string;
        const parsed = web(text);
        if (host.startsWith("unknown") || !parsed) return;
        compared++;
        // Of schemes that the standard does not know it keeps the case.
        expect(parsed.hostname.toLowerCase()).toBe(host);
        expect(parsed.username + parsed.password).toBe("");
        expect(`${url("url.scheme(input.url)", text)}:`).toBe(parsed.protocol);
      }),
      { numRuns: 20_000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it("url.path names the path that a browser would ask for", () => {
    let compared = 0;
    const path = fc.array(fc.constantFrom("/", "/", "..", ".", "a", "b", "%20", "%c3%a9", "-", "~", "%41"), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(path, (parts) => {
        const text = `https://a.com/${parts.join("")}`;
        const given = url("url.path(input.url)", text) as string;
        if (given.startsWith("unknown")) return;
        compared++;
        expect(given).toBe(web(text)?.pathname);
      }),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(500);
  });
});
