const ID_BYTES_MAX = 2048;

import { quoted } from "./quoted.ts";

const TRUST_DOMAIN_BYTES_MAX = 255;
const SCHEME = "spiffe://";
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;

/**
 * What is wrong with a SPIFFE id of a workload, or undefined when nothing is: `spiffe://`, a trust domain in small
 * letters, and a path of one segment at least, without encoding, port, query or fragment (SPIFFE-ID, section 2).
 */
export function spiffeIdProblem(text: string): string | undefined {
  if (text.length > ID_BYTES_MAX) return `is longer than ${ID_BYTES_MAX} bytes`;
  if (!text.startsWith(SCHEME)) return "does not begin with spiffe://";
  const [trustDomain = "", ...path] = text.slice(SCHEME.length).split("/");
  if (trustDomain.length > TRUST_DOMAIN_BYTES_MAX) return `has a trust domain of over ${TRUST_DOMAIN_BYTES_MAX} bytes`;
  if (!TRUST_DOMAIN.test(trustDomain)) return "has no trust domain of a-z, 0-9, dot, dash and underscore";
  if (path.length === 0) return "names a whole trust domain and no workload in it";
  const wrong = path.find((segment) => !SEGMENT.test(segment) || segment === "." || segment === "..");
  return wrong === undefined ? undefined : `has the path segment ${quoted(wrong)}`;
}

/** What is wrong with a prefix of SPIFFE ids: a trust domain, or an id of a workload or of what is above one. */
export function spiffePrefixProblem(text: string): string | undefined {
  return spiffeIdProblem(text.slice(SCHEME.length).includes("/") ? text : `${text}/x`);
}

/**
 * The id and everything above it, longest first, down to the trust domain itself: what a prefix may be that holds it.
 * A prefix ends where a segment ends, so that `/ns/shop` holds nothing of `/ns/shop-test`.
 */
export function spiffePrefixes(id: string): string[] {
  const prefixes: string[] = [];
  for (let at = id.length; at > SCHEME.length; at = id.lastIndexOf("/", at - 1)) prefixes.push(id.slice(0, at));
  return prefixes;
}
