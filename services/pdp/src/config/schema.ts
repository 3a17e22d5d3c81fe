import type { z } from "zod";
import { limits } from "../foundation/limits.ts";
import {
  type Address,
  address,
  choice,
  file,
  integer,
  type Kind,
  key,
  type Proxies,
  path,
  postgresUrl,
  proxies,
  spiffeId,
} from "./values.ts";

/** One thing that can be set: in `remit.yaml` under its key, in the environment as REMIT_ and the key in capitals. */
export interface Knob<Value> extends Kind<Value> {
  readonly doc: string;
  /** As it would be written; undefined when absence means something (`absent` says what). */
  readonly default?: string;
  readonly absent?: string;
  /** Its value is never printed, whether right or wrong. */
  readonly secret?: boolean;
}

type Set<Value> = Knob<Value> & { readonly default: string };
type MaybeSet<Value> = Knob<Value> & { readonly absent: string };

const secret = { secret: true } as const;
const loopbackOnly = "Reaching beyond loopback needs another `transport` than `loopback`.";

/** Every knob of the service, on one page. docs/configuration.md is written from it. */
export const knobs = {
  mode: {
    ...choice(["development", "production"]),
    doc: "How forgiving the service is. `development` fills in secrets itself; `production` has no silent default for a value that security rests on, and wants a Postgres of yours.",
    absent: "`production` when `databaseUrl` is set, else `development`",
  } satisfies MaybeSet<"development" | "production">,
  httpAddress: {
    ...address,
    doc: `Where Connect, gRPC-Web and JSON are served, over HTTP/1.1 and HTTP/2. ${loopbackOnly}`,
    default: "127.0.0.1:7080",
  } satisfies Set<Address>,
  grpcAddress: {
    ...address,
    doc: `Where the fast gRPC lane listens: what SDKs and runtimes use. ${loopbackOnly}`,
    default: "127.0.0.1:7081",
  } satisfies Set<Address>,
  adminAddress: {
    ...address,
    doc: `Where the admin services listen: policies, tools, agents, keys, the ledger. ${loopbackOnly}`,
    default: "127.0.0.1:7082",
  } satisfies Set<Address>,
  metricsAddress: {
    ...address,
    doc: `Where /metrics, /healthz and /readyz are served, always in clear text: nothing there is secret. ${loopbackOnly}`,
    default: "127.0.0.1:7083",
  } satisfies Set<Address>,
  transport: {
    ...choice(["loopback", "tls", "mesh", "insecure"]),
    doc: "What protects the connections. `loopback`: every address stays on this machine. `tls`: the service speaks TLS itself, 1.2 or later, but for the metrics. `mesh`: in clear text, and only from the proxies that `meshPeers` names, who say in `x-forwarded-client-cert` who asks. `insecure`: in clear text, from anywhere: only where something else protects the connections. docs/identity.md tells more.",
    default: "loopback",
  } satisfies Set<"loopback" | "tls" | "mesh" | "insecure">,
  serverCertificateFile: {
    ...file,
    doc: "The certificate that the service shows, in PEM, and below it what vouches for it. Read again when it changes, without a restart. Needed with `transport: tls`.",
    absent: "the service does not speak TLS",
    example: "/etc/remit-tls/tls.crt",
  } satisfies MaybeSet<string>,
  serverKeyFile: {
    ...file,
    doc: "The private key of that certificate, in PEM, without a passphrase. Needed with `transport: tls`.",
    absent: "the service does not speak TLS",
    example: "/etc/remit-tls/tls.key",
  } satisfies MaybeSet<string>,
  clientTrustFile: {
    ...file,
    doc: "The authorities whose certificates clients may show, in PEM: the trust bundle of your SPIFFE trust domain. A certificate with a SPIFFE id says who calls.",
    absent: "no client is asked for a certificate",
    example: "/etc/remit-tls/ca.crt",
  } satisfies MaybeSet<string>,
  clientCertificates: {
    ...choice(["optional", "required"]),
    doc: "Whether a client without a certificate may connect and say who it is by a key or a token. One whose certificate is not to be believed may never.",
    default: "optional",
  } satisfies Set<"optional" | "required">,
  meshIdentity: {
    ...spiffeId,
    doc: "The SPIFFE id of this service in its mesh, which its own proxy writes as `By` into `x-forwarded-client-cert`. With it the last element of that header says who calls, if it comes from one of `meshPeers`.",
    absent: "the header is not looked at, whatever it says",
  } satisfies MaybeSet<string>,
  meshPeers: {
    ...proxies,
    doc: "The service's own proxies: `loopback` for those of this machine or pod, IP addresses, and with `transport: tls` the SPIFFE ids of their certificates. From anybody else the header is refused.",
    default: "loopback",
  } satisfies Set<Proxies>,
  databaseUrl: {
    ...postgresUrl,
    ...secret,
    doc: "The Postgres that everything is recorded in, as the runtime role, which can neither alter tables nor change entries. Postgres 17 or later, reached directly: no transaction pooler in between.",
    absent: "an embedded Postgres under `dataDir`",
  } satisfies MaybeSet<unknown>,
  migrationUrl: {
    ...postgresUrl,
    ...secret,
    doc: "The same database as the role that owns its tables. Only `remit migrate` and `remit recover` use it.",
    absent: "not needed with the embedded Postgres, which `remit serve` migrates",
    example: "postgres://remit_owner:PASSWORD@db.internal:5432/remit",
  } satisfies MaybeSet<unknown>,
  dataDir: {
    ...path,
    doc: "Where the embedded Postgres and a generated key-encryption key are kept. One process owns it at a time.",
    default: "./.remit",
  } satisfies Set<string>,
  keyEncryptionKey: {
    ...key,
    ...secret,
    doc: "Wraps the keys that are kept in the store. Losing it loses what they protect; keep it where you keep such keys. Must be set with `databaseUrl` outside development.",
    absent: "generated once into a file in `dataDir` that only its owner can read",
  } satisfies MaybeSet<unknown>,
  previousKeyEncryptionKey: {
    ...key,
    ...secret,
    doc: "A second key-encryption key that keys in the store may be wrapped by, while one replaces the other: docs/keys.md. `remit keys rewrap` says when it can be taken away.",
    absent: "every key in the store is wrapped by `keyEncryptionKey`",
  } satisfies MaybeSet<unknown>,
  signingKeyDays: {
    ...integer(0, 3650, "days", 90),
    doc: "How old the key that signs session tokens may grow before the service makes a new one by itself. 0: never; `remit keys signing rotate` makes one at any time.",
    default: "90",
  } satisfies Set<number>,
  issuerNetwork: {
    ...choice(["public", "private"]),
    doc: "Where the keys of tenants' token issuers may be read from. `public`: from addresses of the internet alone. `private`: from private networks too, for an issuer inside the cluster. Neither reaches this machine (but in development), nor link-local addresses.",
    default: "public",
  } satisfies Set<"public" | "private">,
  writers: {
    ...integer(1, 16, "connections", 2),
    doc: "How many connections record decisions. Each has one batch in flight and its own sequence of numbers.",
    default: "2",
  } satisfies Set<number>,
  poolSize: {
    ...integer(1, 200, "connections", 8),
    doc: "How many more connections the service may open for everything but recording: sessions, admin calls, look-ups.",
    default: "8",
  } satisfies Set<number>,
  queueRecords: {
    ...integer(16, 1_000_000, "records", limits.queueRecordsMax),
    doc: "How many records may wait for the commit. A quarter of them is kept for reports, and Explain is turned away from a quarter of the rest on.",
    default: String(limits.queueRecordsMax),
  } satisfies Set<number>,
  callerCallsPerSecond: {
    ...integer(1, 10_000_000, "calls a second", limits.callerCallsPerSecondDefault),
    doc: "How many calls of one caller this process takes in a second, where its tenant's quota does not say. Reports are not counted.",
    default: String(limits.callerCallsPerSecondDefault),
  } satisfies Set<number>,
  pollMs: {
    ...integer(10, 1000, "milliseconds", 100),
    doc: "How often the service asks the store for changes of policies, identities and sessions that other replicas made.",
    default: "100",
  } satisfies Set<number>,
  deadlineDefaultMs: {
    ...integer(10, 60_000, "milliseconds", limits.deadlineDefaultMs),
    doc: "The longest that a call may take when its caller names no deadline.",
    default: String(limits.deadlineDefaultMs),
  } satisfies Set<number>,
  shutdownGraceMs: {
    ...integer(0, 600_000, "milliseconds", 10_000),
    doc: "How long a service that was told to stop may take to finish the calls in flight before they are cut.",
    default: "10000",
  } satisfies Set<number>,
  logLevel: {
    ...choice(["debug", "info", "warn", "error", "silent"]),
    doc: "The least important line that is logged. Lines never hold inputs, tokens or keys, at any level.",
    default: "info",
  } satisfies Set<"debug" | "info" | "warn" | "error" | "silent">,
} as const;

type Knobs = typeof knobs;
export type ConfigKey = keyof Knobs;
type ValueOf<Key extends ConfigKey> = z.output<Knobs[Key]["schema"]>;
type Absentable = { [Key in ConfigKey]: Knobs[Key] extends { absent: string } ? Key : never }[ConfigKey];

/** What the service runs on, checked and complete. `mode` is always settled; the rest that may be absent is undefined. */
export type Config = { readonly [Key in Exclude<ConfigKey, Absentable> | "mode"]: ValueOf<Key> } & {
  readonly [Key in Exclude<Absentable, "mode">]: ValueOf<Key> | undefined;
};

/** Values as they are written in `remit.yaml`. */
export type ConfigInput = { readonly [Key in ConfigKey]?: string | number };

/** Variables with our prefix that belong to those who ask the service and not to the service. */
export const commandVariables: Readonly<Record<string, string>> = {
  REMIT_CONFIG: "The path of `remit.yaml`.",
  REMIT_ADDRESS:
    "Where commands and SDKs find the service: host:port of its gRPC lane. Several replicas are separated by commas: SDKs use them all, commands the first.",
  REMIT_API_KEY: "The key that commands and SDKs speak with.",
  REMIT_TOKEN: "In the place of a key: a token of an issuer that the service trusts.",
  REMIT_TOKEN_FILE: "In the place of a key: the file that holds such a token. SDKs read it again when it is renewed.",
  REMIT_SESSION: "The session token that commands ask with.",
  REMIT_TLS_TRUST_FILE:
    "The authorities that commands and SDKs trust when they speak TLS to the service, in PEM. Without it the system's.",
  REMIT_TLS_CERTIFICATE_FILE: "The certificate that commands and SDKs show to the service, in PEM.",
  REMIT_TLS_KEY_FILE: "The private key of that certificate, in PEM.",
};

/** The variable of a key: httpAddress is REMIT_HTTP_ADDRESS. */
export function variableOf(key: string): string {
  return `REMIT_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
