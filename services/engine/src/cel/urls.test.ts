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
  ])("the path of %s is unknown", (given) =>
    expect(url("url.path(input.url)", given)).toBe("unknown: a URL that hides part of its path"),
  );
});
