import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A certificate and its key, as they stand in files. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate says, right or wrong: what is left out is right for a workload. */
export interface Asked {
  readonly name?: string;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly authority?: boolean;
  /** Bits of the key usage; null: no such extension. */
  readonly usage?: number | null;
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** The subject's names twice, which no certificate may have. */
  readonly namesTwice?: boolean;
}

/** Somebody who vouches for others. */
export interface Authority {
  readonly certificate: string;
  issue(asked: Asked): Issued;
  /** Another authority below this one. */
  below(name: string): Authority & { readonly chain: string };
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function named(name: string): Name {
  const value = new AttributeValue({ utf8String: name });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])]);
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function extensionsFor(asked: Asked): Extension[] {
  const { uris = [], dns = [], ips = [], authority = false } = asked;
  const names = [
    ...uris.map((uniformResourceIdentifier) => new GeneralName({ uniformResourceIdentifier })),
    ...dns.map((dNSName) => new GeneralName({ dNSName })),
    ...ips.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const { keyCertSign, cRLSign, digitalSignature } = KeyUsageFlags;
  const { usage = authority ? keyCertSign | cRLSign : digitalSignature } = asked;
  const san = extension(id_ce_subjectAltName, false, new SubjectAlternativeName(names));
  return [
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: authority })),
    ...(usage === null ? [] : [extension(id_ce_keyUsage, true, new KeyUsage(usage))]),
    ...(names.length === 0 ? [] : [san, ...(asked.namesTwice ? [san] : [])]),
  ];
}

function certify(asked: Asked, subject: KeyObject, issuer: Name, signer: KeyObject): string {
  const nowMs = Date.now();
  const validity = new Validity();
  validity.notBefore = new Time(new Date(asked.fromMs ?? nowMs - MINUTE_MS));
  validity.notAfter = new Time(new Date(asked.untilMs ?? nowMs + DAY_MS));
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const serial = randomBytes(16);
  serial[0] = 1;
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: new Uint8Array(serial).buffer,
    signature: algorithm,
    issuer,
    subject: named(asked.name ?? "workload"),
    validity,
    subjectPublicKeyInfo: AsnConvert.parse(subject.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo),
    extensions: new Extensions(extensionsFor(asked)),
  });
  const signed = AsnConvert.serialize(tbs);
  const signatureValue = new Uint8Array(sign("sha256", Buffer.from(signed), signer)).buffer;
  return pem(
    "CERTIFICATE",
    AsnConvert.serialize(
      new Certificate({
        tbsCertificate: tbs,
        signatureAlgorithm: algorithm,
        signatureValue,
        tbsCertificateRaw: signed,
      }),
    ),
  );
}

const newPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const text = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();

function withKey(name: string, certificate: string, key: KeyObject): Authority {
  const issuer = named(name);
  return {
    certificate,
    issue(asked) {
      const pair = newPair();
      return { certificate: certify(asked, pair.publicKey, issuer, key), key: text(pair.privateKey) };
    },
    below(other) {
      const pair = newPair();
      const chain = certify({ name: other, authority: true }, pair.publicKey, issuer, key);
      return { ...withKey(other, chain, createPrivateKey(text(pair.privateKey))), chain };
    },
  };
}

/** An authority of a test's own, that nobody else trusts. */
export function makeAuthority(name = "authority"): Authority {
  const pair = newPair();
  const certificate = certify({ name, authority: true }, pair.publicKey, named(name), pair.privateKey);
  return withKey(name, certificate, pair.privateKey);
}

/** A certificate for a server on this machine. */
export const forLoopback: Asked = { name: "remit", dns: ["localhost"], ips: ["127.0.0.1"] };
