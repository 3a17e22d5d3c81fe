import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  type Extension,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";
import { spiffeIdProblem } from "../../foundation/spiffe-id.ts";
import type { Shown } from "../../identities/index.ts";

const refused = (problem: string): Shown => ({ kind: "refused", problem });

/** What is wrong with an extension that a certificate has more than once, or with its usage, for who signs with it. */
function usageProblem(extensions: readonly Extension[]): string | undefined {
  const usage = extensions.find(({ extnID }) => extnID === id_ce_keyUsage);
  if (!usage) return "it has no key usage";
  const bits = AsnConvert.parse(usage.extnValue, KeyUsage).toNumber();
  if ((bits & KeyUsageFlags.digitalSignature) === 0) return "its key may not sign";
  const signsOthers = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  return (bits & signsOthers) === 0 ? undefined : "its key may sign certificates or lists of revoked ones";
}

function isAuthority(extensions: readonly Extension[]): boolean {
  const basic = extensions.find(({ extnID }) => extnID === id_ce_basicConstraints);
  return basic !== undefined && AsnConvert.parse(basic.extnValue, BasicConstraints).cA;
}

function read(der: Uint8Array): Shown {
  const extensions = AsnConvert.parse(der, Certificate).tbsCertificate.extensions ?? [];
  const names = extensions.filter(({ extnID }) => extnID === id_ce_subjectAltName);
  const uris = names
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue, SubjectAlternativeName)])
    .flatMap(({ uniformResourceIdentifier: uri }) => (uri === undefined ? [] : [uri]));
  if (!uris.some((uri) => /^spiffe:/i.test(uri))) return { kind: "nobody" };
  const ids = extensions.map(({ extnID }) => extnID);
  if (new Set(ids).size < ids.length) return refused("it has an extension twice");
  const [id = ""] = uris;
  if (uris.length > 1) return refused(`it has ${uris.length} URIs, not one`);
  const wrong = spiffeIdProblem(id);
  if (wrong !== undefined) return refused(`its id ${JSON.stringify(id)} ${wrong}`);
  if (isAuthority(extensions)) return refused("it is a certificate authority's and no workload's");
  const usage = usageProblem(extensions);
  return usage === undefined ? { kind: "spiffe", id } : refused(usage);
}

/**
 * Who a certificate says holds it, by the rules for leaf X.509-SVIDs (SPIFFE X509-SVID, sections 2 to 4): exactly one URI
 * among its names, a SPIFFE id with a path; no authority; a key that signs, and signs no certificates. Whether anybody
 * trusted vouches for it has been found out before.
 */
export function readSvid(der: Uint8Array): Shown {
  try {
    return read(der);
  } catch {
    return refused("it cannot be read");
  }
}
