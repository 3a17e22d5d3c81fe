import { isIP } from "node:net";
import { z } from "zod";
import { spiffeIdProblem } from "../foundation/spiffe-id.ts";
import { Secret } from "./secret.ts";

/** How one kind of value is read, and what to tell somebody who wrote it wrong. */
export interface Kind<Value> {
  /** Takes what YAML or a variable holds; answers the value. */
  readonly schema: z.ZodType<Value>;
  /** Completes "expected: ...". */
  readonly expected: string;
  /** A value that would pass. */
  readonly example: string;
}

/** Where to listen. Port 0 lets the system choose. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/;

function readAddress(text: string): Address | undefined {
  const [, six, other, digits] = ADDRESS.exec(text) ?? [];
  const host = six ?? other;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Whether nothing outside this machine can reach a host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

export const address: Kind<Address> = {
  schema: z.string().transform((text, context) => {
    const read = readAddress(text);
    if (read !== undefined) return read;
    context.addIssue("not an address");
    return z.NEVER;
  }),
  expected: "host:port, with a port from 0 to 65535 (0 lets the system choose)",
  example: "127.0.0.1:7080",
};

/** A whole number. `unit` is what one of it is. */
export function integer(from: number, to: number, unit: string, example: number): Kind<number> {
  const digits = z
    .string()
    .regex(/^[0-9]{1,9}$/)
    .transform(Number);
  return {
    schema: z.union([z.number(), digits]).pipe(z.number().int().min(from).max(to)),
    expected: `a whole number of ${unit} from ${from} to ${to}`,
    example: String(example),
  };
}

export function choice<const Word extends string>(words: readonly [Word, ...Word[]]): Kind<Word> {
  return { schema: z.enum(words) as unknown as z.ZodType<Word>, expected: words.join(", "), example: words[0] };
}

export const path: Kind<string> = {
  schema: z.string().min(1).max(4096),
  expected: "a path, relative to the working directory or absolute",
  example: "./.remit",
};

export const file: Kind<string> = {
  schema: z.string().min(1).max(4096),
  expected: "the path of a file, relative to the working directory or absolute",
  example: "/etc/remit-tls/tls.crt",
};

export const postgresUrl: Kind<Secret<string>> = {
  schema: z
    .string()
    .regex(/^postgres(?:ql)?:\/\/\S+$/)
    .refine((text) => URL.canParse(text))
    .transform((text) => new Secret(text)),
  expected: "a Postgres connection URL",
  example: "postgres://remit_runtime:PASSWORD@db.internal:5432/remit",
};

const KEY_BYTES = 32;

export const key: Kind<Secret<Uint8Array>> = {
  schema: z
    .string()
    .regex(/^[A-Za-z0-9+/]+={0,2}$/)
    .transform((text) => Buffer.from(text, "base64"))
    .refine((bytes) => bytes.length === KEY_BYTES)
    .transform((bytes) => new Secret(new Uint8Array(bytes))),
  expected: `base64 of exactly ${KEY_BYTES} random bytes`,
  example: '"$(openssl rand -base64 32)"',
};

export const spiffeId: Kind<string> = {
  schema: z.string().refine((text) => spiffeIdProblem(text) === undefined),
  expected: "the SPIFFE id of a workload: spiffe://, a trust domain, and a path",
  example: "spiffe://cluster.local/ns/agents/sa/remit",
};

/** Whose word on others counts: proxies by where they are, or by what their own certificates say. */
export interface Proxies {
  /** Any address of this machine. */
  readonly loopback: boolean;
  readonly addresses: readonly string[];
  readonly ids: readonly string[];
}

function readProxies(text: string): Proxies | undefined {
  const each = text.split(",").map((word) => word.trim());
  const addresses = each.filter((word) => isIP(word) !== 0);
  const ids = each.filter((word) => spiffeIdProblem(word) === undefined);
  const loopback = each.includes("loopback");
  const rest = each.filter((word) => word !== "loopback" && !addresses.includes(word) && !ids.includes(word));
  return rest.length > 0 ? undefined : { loopback, addresses, ids };
}

export const proxies: Kind<Proxies> = {
  schema: z.string().transform((text, context) => {
    const read = readProxies(text);
    if (read !== undefined) return read;
    context.addIssue("no list of proxies");
    return z.NEVER;
  }),
  expected: "the word loopback, IP addresses and SPIFFE ids, separated by commas",
  example: "loopback",
};
