import type { JsonObject } from "../foundation/canonical.ts";
import { limits } from "../foundation/limits.ts";
import { parseStrict } from "../foundation/strict-json.ts";
import { JwtRefused } from "./jwt-refused.ts";

/** What a compact JWT says of itself, before anybody vouched for it. */
export interface CompactJwt {
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Reads a signed JWT in compact serialization (RFC 7515, RFC 7519). Throws for one that two readers could read
 * differently, a claim that stands in it twice above all.
 */
export function readCompact(token: string): CompactJwt {
  if (token.length > limits.jwtBytesMax) {
    throw new JwtRefused("invalid", `the token is longer than ${limits.jwtBytesMax} bytes`);
  }
  if (!SHAPE.test(token)) throw new JwtRefused("invalid", "the token is no signed JWT in compact serialization");
  const [header = "", payload = ""] = token.split(".");
  const part = (text: string, name: string): JsonObject => {
    try {
      return parseStrict(Buffer.from(text, "base64url"), name).value;
    } catch (error) {
      throw new JwtRefused("invalid", `the token's ${name} cannot be read: ${(error as Error).message}`, error);
    }
  };
  return { header: part(header, "header"), payload: part(payload, "payload") };
}

/** Whom a token says it is from and for, bounded. What is of another form is nobody. */
export function saidIssuer({ payload }: CompactJwt): { readonly issuers: string[]; readonly audiences: string[] } {
  const { iss, aud, sub } = payload;
  const issuers = typeof iss === "string" ? [iss] : [];
  // A JWT-SVID need not name an issuer: the trust domain in its subject is one.
  if (typeof sub === "string" && sub.startsWith("spiffe://")) issuers.push(sub.split("/").slice(0, 3).join("/"));
  const listed = Array.isArray(aud) ? aud : [aud];
  const audiences = listed.filter((one) => typeof one === "string");
  return { issuers, audiences: audiences.slice(0, limits.issuerAudiencesMax) };
}
