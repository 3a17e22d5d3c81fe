import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { spiffePrefixes } from "../../services/pdp/src/foundation/spiffe-id.ts";
import { readCompact } from "../../services/pdp/src/identities/compact-jwt.ts";
import { readForwarded } from "../../services/pdp/src/identities/forwarded-certificate.ts";
import { createIssuerKeys } from "../../services/pdp/src/identities/index.ts";
import type { Issuer } from "../../services/pdp/src/identities/trust.ts";
import { verifyJwt } from "../../services/pdp/src/identities/verify-jwt.ts";
import { createIdentityStore } from "../../services/pdp/src/stores/identities.ts";
import { type Case, many } from "./catalogue.ts";
import { stored } from "./stored.ts";

const NOW = 1_780_000_000;
const claims = { iss: "https://idp.example", aud: "remit:t", sub: "clerk", iat: NOW, exp: NOW + 60 };
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Random-looking bytes of a size, odd and with the highest bit set. */
const numberOf = (bytes: number) => {
  const made = Buffer.concat(many(Math.ceil(bytes / 32), (at) => createHmac("sha256", "n").update(`${at}`).digest()));
  const number = made.subarray(0, bytes);
  number[0] = (number[0] ?? 0) | 0x80;
  number[bytes - 1] = (number[bytes - 1] ?? 0) | 1;
  return number.toString("base64url");
};

const issuerOf = (key: object): Issuer =>
  ({
    ...{ tenant: "t", name: "idp", profile: "oidc", use: "workloads", issuer: claims.iss, audiences: [claims.aud] },
    ...{ algorithms: ["RS256", "ES256"], claims: {}, tokenSecondsMax: 3_600, sessionSecondsMax: 3_600 },
    ...{ jwksUri: undefined, jwks: { keys: [{ ...key, kid: "k" }] }, principalPrefix: "" },
  }) as Issuer;

const verifying = (
  name: string,
  payload: object,
  alg: string,
  key: object,
  privateKey: KeyObject | undefined,
): Case => ({
  name: `tokens: ${name}`,
  make: () => {
    const signed = `${base64({ alg, kid: "k" })}.${base64({ ...claims, ...payload })}`;
    const signature = privateKey
      ? sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")
      : numberOf(400);
    const token = `${signed}.${signature}`;
    if (token.length > limits.jwtBytesMax) throw new Error(`the token has ${token.length} bytes`);
    const keys = createIssuerKeys({ fetchText: async () => "", clock: { now: () => 1 }, log: {} as never });
    const issuer = issuerOf(key);
    return () => verifyJwt(token, readCompact(token), issuer, keys.of(issuer), NOW * 1_000).catch(() => undefined);
  },
});

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ec = pair.publicKey.export({ format: "jwk" });
const own = (name: string, payload: object) => verifying(name, payload, "ES256", ec, pair.privateKey);
const rsa = (bits: number, exponent: string) => ({ kty: "RSA", n: numberOf(bits / 8), e: exponent });

const prefixes: Case = {
  name: "certificates: finding the tenant of an id of a thousand segments",
  make: () => {
    const id = `spiffe://example.org${"/a".repeat(1_014)}`;
    return stored([], createIdentityStore, (store, tenant) =>
      store.tenantOfWorkload(spiffePrefixes(tenant === "t" ? id : "spiffe://example.org/a")),
    );
  },
};

const forwarded = (name: string, header: string): Case => ({
  name: `certificates: a forwarded one of 16 KB, ${name}`,
  make: () => () => readForwarded(header, "spiffe://example.org/remit"),
});

/** What strangers send before anybody knows who they are. */
export const tokens: readonly Case[] = [
  own("one of 8 KB of 2,700 values", { more: many(2_700, () => 1) }),
  own("one of 8 KB of 256 groups", { groups: many(limits.tokenGroupsMax, (at) => `group-${at}-xxxxxxx`) }),
  own("one of 8 KB of 900 names", Object.fromEntries(many(480, (at) => [`n${at}`, at]))),
  verifying("a false one, by a key of 1,500,000 bits", {}, "RS256", rsa(1_500_000, "AQAB"), undefined),
  verifying("a false one, by a key of 16,384 bits", {}, "RS256", rsa(16_384, numberOf(8)), undefined),
  verifying(
    "a false one, by a key whose exponent is as long as its modulus",
    {},
    "RS256",
    rsa(3_072, numberOf(384)),
    undefined,
  ),
  prefixes,
  forwarded(
    "of 2,000 keys",
    many(1_600, () => "By=x;URI=y")
      .join(";")
      .slice(0, 16_000),
  ),
  forwarded("of one quoted value", `Subject="${'\\"'.repeat(8_000)}`),
];
