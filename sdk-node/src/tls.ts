import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { misuse } from "./errors.ts";

/** PEM texts, or files that hold them. Without a certificate authority the system's are trusted. */
export interface TlsOptions {
  readonly ca?: string | Uint8Array;
  /** For a client certificate: both or neither. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Instead of the texts: read anew for every connection, so that whatever is replaced is used by the next one. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const fields = ["ca", "cert", "key"] as const;
const variables = {
  caFile: "REMIT_TLS_TRUST_FILE",
  certFile: "REMIT_TLS_CERTIFICATE_FILE",
  keyFile: "REMIT_TLS_KEY_FILE",
} as const;

/** The options that the environment names; undefined where it names none. */
export function tlsFromEnvironment(environment: Readonly<Record<string, string | undefined>>): TlsOptions | undefined {
  const given = Object.entries(variables).flatMap(([field, name]) => {
    const path = environment[name];
    return path ? [[field, path] as const] : [];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** Whether a client certificate is shown. */
export function showsCertificate(tls: TlsOptions | undefined): boolean {
  return tls?.cert !== undefined || tls?.certFile !== undefined;
}

/** What is wrong with options, or undefined. */
export function tlsProblem(tls: TlsOptions): string | undefined {
  const twice = fields.find((field) => tls[field] !== undefined && tls[`${field}File`] !== undefined);
  if (twice) return `tls.${twice} and tls.${twice}File say the same thing twice`;
  const has = (field: "cert" | "key") => tls[field] !== undefined || tls[`${field}File`] !== undefined;
  return has("cert") === has("key") ? undefined : "a client certificate needs its key, and a key its certificate";
}

function pem(tls: TlsOptions, field: (typeof fields)[number]): Buffer | null {
  const path = tls[`${field}File`];
  if (path !== undefined) return readFileSync(path);
  const text = tls[field];
  return text === undefined ? null : Buffer.from(text);
}

type Parts = readonly [ca: Buffer | null, key: Buffer | null, cert: Buffer | null];

/** What a connection is made with: its credentials, and options of the channel that belong to them. */
export interface Dialled {
  readonly credentials: ChannelCredentials;
  readonly options: Readonly<Record<string, string>>;
}

// An address has no place in the name that a client asks for (RFC 6066, section 3), and grpc-js asks for some name.
const NO_NAME = "address.invalid";

function dial([ca, key, cert]: Parts, host: string): Dialled {
  if (isIP(host) === 0) return { credentials: credentials.createSsl(ca, key, cert), options: {} };
  const verify = { checkServerIdentity: (_: string, shown: PeerCertificate) => checkServerIdentity(host, shown) };
  return {
    credentials: credentials.createSsl(ca, key, cert, verify),
    options: { "grpc.ssl_target_name_override": NO_NAME },
  };
}

/**
 * Makes what each new connection is made with, to `host:port`. Files that were replaced by what cannot be used, or half,
 * change nothing: the last good ones are used again. Throws `RemitError` `configuration_invalid` when the first are not
 * usable.
 */
export function createDialling(tls: TlsOptions | undefined): (address: string) => Dialled {
  if (!tls) return () => ({ credentials: credentials.createInsecure(), options: {} });
  const read = (): Parts => {
    const parts: Parts = [pem(tls, "ca"), pem(tls, "key"), pem(tls, "cert")];
    // Throws where they do not fit together.
    credentials.createSsl(...parts);
    return parts;
  };
  let last: Parts;
  try {
    last = read();
  } catch (error) {
    const fix = "name files in PEM that this user may read, a certificate and its own key";
    throw misuse("tls", `TLS cannot be set up: ${(error as Error).message}`, fix, "configuration_invalid");
  }
  const fromFiles = fields.some((field) => tls[`${field}File`] !== undefined);
  return (address) => {
    try {
      if (fromFiles) last = read();
    } catch {
      // What is there now is half written, or wrong: the connection is made as the one before it.
    }
    return dial(last, address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, ""));
  };
}
