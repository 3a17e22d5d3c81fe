import { X509Certificate } from "node:crypto";
import { KeyUsageFlags } from "@peculiar/asn1-x509";
import { expect, test } from "vitest";
import { type Asked, makeAuthority } from "../../../test/support/authority.ts";
import { readSvid } from "./svid.ts";

const authority = makeAuthority();
const clerk = "spiffe://example.org/ns/shop/sa/clerk";
const read = (asked: Asked) => readSvid(new X509Certificate(authority.issue(asked).certificate).raw);

test("a leaf with one SPIFFE id is somebody", () => {
  expect(read({ uris: [clerk] })).toEqual({ kind: "spiffe", id: clerk });
  expect(read({ uris: [clerk], dns: ["clerk.shop"], ips: ["10.0.0.1"] })).toEqual({ kind: "spiffe", id: clerk });
});

test.each<Asked>([
  {},
  { dns: [clerk] },
  { dns: ["clerk.shop"] },
  { uris: ["https://example.org/clerk"] },
  { name: clerk },
])("a certificate without a SPIFFE id is nobody: %j", (asked) => {
  expect(read(asked)).toEqual({ kind: "nobody" });
});

const { digitalSignature, keyAgreement, keyCertSign, cRLSign } = KeyUsageFlags;
test.each<[Asked, string]>([
  [{ uris: [clerk, "spiffe://example.org/b"] }, "2 URIs"],
  [{ uris: [clerk, clerk] }, "2 URIs"],
  [{ uris: ["https://example.org", clerk] }, "2 URIs"],
  [{ uris: ["spiffe://example.org"] }, "whole trust domain"],
  [{ uris: ["spiffe://example.org/"] }, "path segment"],
  [{ uris: ["SPIFFE://example.org/a"] }, "does not begin"],
  [{ uris: ["spiffe://example.org/a, URI:spiffe://example.org/b"] }, "path segment"],
  [{ uris: [clerk], authority: true }, "authority"],
  [{ uris: [clerk], usage: null }, "no key usage"],
  [{ uris: [clerk], usage: keyAgreement }, "may not sign"],
  [{ uris: [clerk], usage: digitalSignature | keyCertSign }, "sign certificates"],
  [{ uris: [clerk], usage: digitalSignature | cRLSign }, "sign certificates"],
  [{ uris: [clerk], namesTwice: true }, "twice"],
])("a certificate that breaks a rule is refused: %j", (asked, problem) => {
  expect(read(asked)).toMatchObject({ kind: "refused", problem: expect.stringContaining(problem) });
});

test("what is no certificate is refused", () => {
  expect(readSvid(Buffer.from("no certificate"))).toMatchObject({ kind: "refused" });
});
