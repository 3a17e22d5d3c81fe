import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** Where certificates stand. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Who vouches for clients; undefined: no client is asked for a certificate. */
  readonly clientTrust: string | undefined;
}

/** What the files hold, checked: the parts fit together. */
export interface TlsMaterial {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly clientTrust: Buffer | undefined;
  /** Fingerprints (SHA-256, as Node writes them) of those who vouch for clients. */
  readonly anchors: ReadonlySet<string>;
  /** When our own certificate runs out, milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** One file, and what is wrong with it. */
export interface TlsFileProblem {
  readonly file: keyof TlsFiles;
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}

const BYTES_MAX = 1024 * 1024;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(bytes: Buffer): X509Certificate[] {
  const blocks = bytes.toString("latin1").match(PEM) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function failed(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "there is no such file" : message;
}

type Blame = (file: keyof TlsFiles, message: string, fix: string) => undefined;

function readOne(files: TlsFiles, file: keyof TlsFiles, blame: Blame): Buffer | undefined {
  const path = files[file];
  if (path === undefined) return undefined;
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= BYTES_MAX) return bytes;
    return blame(file, `it has more than ${BYTES_MAX} bytes`, "name the file of the certificate");
  } catch (error) {
    return blame(file, `it cannot be read: ${failed(error)}`, "name a file that this user may read");
  }
}

function leafOf(bytes: Buffer, nowMs: number, blame: Blame): X509Certificate | undefined {
  const fix = "give a certificate in PEM, and what vouches for it below it";
  try {
    const [leaf] = certificatesIn(bytes);
    if (!leaf) return blame("certificate", "it holds no certificate in PEM", fix);
    if (leaf.validToDate.getTime() > nowMs) return leaf;
    return blame("certificate", `it ran out at ${leaf.validToDate.toISOString()}`, "give one that is valid");
  } catch (error) {
    return blame("certificate", `it is no certificate: ${failed(error)}`, fix);
  }
}

function keyOf(bytes: Buffer, blame: Blame): KeyObject | undefined {
  try {
    return createPrivateKey(bytes);
  } catch {
    // What is wrong with it is not repeated: the message may hold a part of it.
    return blame("key", "it holds no private key in PEM that can be read", "give a key without a passphrase");
  }
}

function anchorsIn(bytes: Buffer, blame: Blame): ReadonlySet<string> | undefined {
  const fix = "give the certificates of authorities in PEM, one below the other";
  try {
    const trusted = certificatesIn(bytes);
    if (trusted.length === 0) return blame("clientTrust", "it holds no certificate in PEM", fix);
    const other = trusted.find(({ ca }) => !ca);
    if (other) return blame("clientTrust", `${other.subject.replaceAll("\n", ", ")} is no authority`, fix);
    return new Set(trusted.map(({ fingerprint256 }) => fingerprint256));
  } catch (error) {
    return blame("clientTrust", `it is no list of certificates: ${failed(error)}`, fix);
  }
}

/** What the files hold, or everything that is wrong with them. */
export type TlsReading =
  | { readonly ok: true; readonly material: TlsMaterial }
  | { readonly ok: false; readonly problems: readonly TlsFileProblem[] };

/** Reads the files and checks that they fit together. Answers what they hold, or everything that is wrong. */
export function readTlsFiles(files: TlsFiles, nowMs: number): TlsReading {
  const problems: TlsFileProblem[] = [];
  const blame: Blame = (file, message, fix) => {
    problems.push({ file, path: files[file] ?? "", message, fix });
  };
  const certificate = readOne(files, "certificate", blame);
  const keyBytes = readOne(files, "key", blame);
  const clientTrust = readOne(files, "clientTrust", blame);
  const leaf = certificate && leafOf(certificate, nowMs, blame);
  const key = keyBytes && keyOf(keyBytes, blame);
  const anchors = clientTrust ? anchorsIn(clientTrust, blame) : new Set<string>();
  if (leaf && key && !leaf.checkPrivateKey(key)) {
    blame("key", "it is not the key of the certificate", "give the key that the certificate was made for");
  }
  if (problems.length > 0 || !certificate || !keyBytes || !leaf || !anchors) return { ok: false, problems };
  const notAfterMs = leaf.validToDate.getTime();
  return { ok: true, material: { certificate, key: keyBytes, clientTrust, anchors, notAfterMs } };
}

/** Whether two readings hold the same, byte for byte. */
export function sameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  const trust = (of: TlsMaterial) => of.clientTrust ?? Buffer.alloc(0);
  return one.certificate.equals(other.certificate) && one.key.equals(other.key) && trust(one).equals(trust(other));
}
