import { ownConstraints } from "./constraints.ts";
import { type Credential, createCredential, type TokenSource } from "./credential.ts";
import { misuse } from "./errors.ts";
import { type Log, stderrLog } from "./log.ts";
import type { Notice } from "./notice.ts";
import { systemTimers, type Timers } from "./timers.ts";
import {
  createDialling,
  type Dialled,
  showsCertificate,
  type TlsOptions,
  tlsFromEnvironment,
  tlsProblem,
} from "./tls.ts";

/** How to reach Remit, and how long to wait for it. */
export interface ClientOptions {
  /** host:port of the gRPC lane. Default: `REMIT_ADDRESS`, else 127.0.0.1:7081. A name may have several records. */
  readonly address?: string | undefined;
  /** Instead of `address`, several replicas of one Remit: what one does not answer is asked again of another. */
  readonly addresses?: readonly string[] | undefined;
  /** The API key of this workload. Default: `REMIT_API_KEY`. Only with a client certificate there may be none. */
  readonly key?: string | undefined;
  /**
   * In the place of a key: where tokens of an issuer that Remit trusts come from. Asked again before a token ends, and
   * when one is refused. Default: `REMIT_TOKEN_FILE`, else `REMIT_TOKEN`.
   */
  readonly token?: TokenSource | undefined;
  /**
   * Default: what `REMIT_TLS_TRUST_FILE`, `REMIT_TLS_CERTIFICATE_FILE` and `REMIT_TLS_KEY_FILE` name; else none on
   * loopback, TLS with the system's authorities elsewhere. Plain text elsewhere wants the word.
   */
  readonly tls?: TlsOptions | "insecure" | undefined;
  /** How long a decision may take in all, milliseconds; then the call is denied. Default 1000. */
  readonly deadlineMs?: number | undefined;
  /** When an unanswered decision is asked again on another connection, milliseconds. Default 250. */
  readonly hedgeMs?: number | undefined;
  /** Reports that may wait for delivery, running calls included; then new calls wait, and are denied at their deadline. Default 1000. */
  readonly reportsMax?: number | undefined;
  /** Bytes of reports that may wait for delivery; then as above. Default 4 MiB. */
  readonly reportBytesMax?: number | undefined;
  /** Constraints that the tools of this process honour themselves, besides the SDK's own. */
  readonly supportedConstraints?: readonly string[] | undefined;
  /** What the server says unasked. Default: nobody listens. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** Default: warnings and errors to stderr. */
  readonly log?: Log | undefined;
  /** Default: the process's own clock. */
  readonly timers?: Timers | undefined;
  /** In [0, 1), for jitter. Default: Math.random. */
  readonly random?: (() => number) | undefined;
}

/** The options of a client, checked and complete. */
export interface Settings {
  readonly addresses: readonly string[];
  /** The addresses, as errors name them. */
  readonly where: string;
  /** What says who calls: a key, tokens, or nothing where a client certificate does. */
  readonly credential: Credential;
  readonly tls: TlsOptions | undefined;
  /** For the next connection to an address. */
  readonly dialling: (address: string) => Dialled;
  readonly loopback: boolean;
  readonly deadlineMs: number;
  readonly hedgeMs: number;
  readonly reportsMax: number;
  readonly reportBytesMax: number;
  readonly supportedConstraints: ReadonlySet<string>;
  readonly onNotice: (notice: Notice) => void;
  readonly log: Log;
  readonly timers: Timers;
  readonly random: () => number;
}

function invalid(field: string, message: string, fix: string): Error {
  return misuse(field, message, fix, "configuration_invalid");
}

function whole(field: string, value: number | undefined, byDefault: number): number {
  const chosen = value ?? byDefault;
  if (Number.isSafeInteger(chosen) && chosen > 0) return chosen;
  throw invalid(
    field,
    `${field} must be a whole number above 0, got ${chosen}`,
    `leave ${field} out, or pass a number`,
  );
}

const hostPort = /^(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):(\d{1,5})$/;

const addressesMax = 64;

function isLoopback(address: string): boolean {
  const match = hostPort.exec(address);
  if (!match || Number(match[2]) > 65535 || Number(match[2]) === 0) {
    throw invalid("address", `${JSON.stringify(address)} is not an address`, "write host:port, such as 127.0.0.1:7081");
  }
  const host = (match[1] ?? "").toLowerCase();
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Each address once, in the order given. */
function chooseAddresses(options: ClientOptions, fromEnvironment: string | undefined): readonly string[] {
  const { address, addresses } = options;
  if (address !== undefined && addresses !== undefined) {
    throw invalid("addresses", "a client has an address or addresses", "pass one of the two");
  }
  const given = addresses ?? [address ?? (fromEnvironment || "127.0.0.1:7081")];
  const each = [...new Set(given.flatMap((text) => text.split(",")).map((text) => text.trim()))];
  if (addresses?.length === 0) throw invalid("addresses", "addresses is empty", "name one at least, or leave it out");
  if (each.length <= addressesMax) return each;
  const fix = "name fewer, or one name with many records";
  throw invalid("addresses", `a client takes at most ${addressesMax} addresses, got ${each.length}`, fix);
}

function chooseTls(
  options: ClientOptions,
  loopback: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): TlsOptions | undefined {
  if (options.tls === "insecure") return undefined;
  const given = options.tls ?? tlsFromEnvironment(environment);
  if (given === undefined) return loopback ? undefined : {};
  const problem = tlsProblem(given);
  if (problem === undefined) return given;
  throw invalid("tls", problem, "pass tls.cert and tls.key, or tls.certFile and tls.keyFile");
}

/** Where tokens come from, unless a key was given. */
function chooseToken(
  { key, token }: ClientOptions,
  environment: Readonly<Record<string, string | undefined>>,
): TokenSource | undefined {
  if (key !== undefined && token !== undefined) {
    throw invalid("token", "a client has a key or tokens", "pass one of the two");
  }
  if (key !== undefined || token !== undefined) return token;
  const { REMIT_API_KEY, REMIT_TOKEN, REMIT_TOKEN_FILE } = environment;
  if ([REMIT_API_KEY, REMIT_TOKEN, REMIT_TOKEN_FILE].filter(Boolean).length > 1) {
    const fix = "set one of REMIT_API_KEY, REMIT_TOKEN and REMIT_TOKEN_FILE";
    throw invalid("token", "more than one credential is set", fix);
  }
  if (REMIT_TOKEN_FILE) return { file: REMIT_TOKEN_FILE };
  return REMIT_TOKEN ? () => REMIT_TOKEN : undefined;
}

function chooseKey(given: string | undefined, source: TokenSource | undefined, tls: TlsOptions | undefined): string {
  const key = source === undefined ? (given ?? "") : "";
  if (key === "" && source === undefined && !showsCertificate(tls)) {
    const fix = "set REMIT_API_KEY or pass key; `remit serve` prints one at its first start";
    throw invalid("key", `no API key for Remit: ${fix}`, fix);
  }
  // A header cannot hold it, and the error must not show it.
  if (/[^\x21-\x7e]/.test(key)) throw invalid("key", "the API key holds blanks or control characters", "copy it whole");
  return key;
}

/** Checks options and fills in what was left out. Throws `RemitError` `configuration_invalid` that names the fix. */
export function settle(options: ClientOptions, environment: Readonly<Record<string, string | undefined>>): Settings {
  const addresses = chooseAddresses(options, environment.REMIT_ADDRESS);
  const loopback = addresses.map(isLoopback).every(Boolean);
  const tls = chooseTls(options, loopback, environment);
  const source = chooseToken(options, environment);
  const key = chooseKey(options.key ?? environment.REMIT_API_KEY, source, tls);
  const timers = options.timers ?? systemTimers;
  const deadlineMs = whole("deadlineMs", options.deadlineMs, 1000);
  return {
    addresses,
    where: addresses.join(", "),
    credential: createCredential(key, source, timers),
    tls,
    dialling: createDialling(tls),
    loopback,
    deadlineMs,
    hedgeMs: whole("hedgeMs", options.hedgeMs, 250),
    reportsMax: whole("reportsMax", options.reportsMax, 1000),
    reportBytesMax: whole("reportBytesMax", options.reportBytesMax, 4 * 1024 * 1024),
    supportedConstraints: new Set([...ownConstraints, ...(options.supportedConstraints ?? [])]),
    onNotice: options.onNotice ?? (() => {}),
    log: options.log ?? stderrLog,
    timers,
    random: options.random ?? Math.random,
  };
}
