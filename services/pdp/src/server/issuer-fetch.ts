import { lookup as lookUp } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { limits } from "../foundation/limits.ts";

/** Which addresses an issuer's documents may be read from. */
export type IssuerNetwork = "public" | "private";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

// The machines beside this one: a cluster's own issuer is among them, and so is much that trusts whoever reaches it.
const internal = new BlockList();
for (const [net, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
] as const) {
  internal.addSubnet(net, bits, "ipv4");
}
internal.addSubnet("fc00::", 7, "ipv6");

// Never an issuer: this network, links (where clouds hand out their machines' credentials), groups, what is reserved, and
// whatever leads from one family of addresses to the other.
const never = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  never.addSubnet(net, bits, "ipv4");
}
for (const [net, bits] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["2001::", 32],
  ["2002::", 16],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  never.addSubnet(net, bits, "ipv6");
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

interface Options {
  readonly network: IssuerNetwork;
  /** Whether issuers may be on this machine, without TLS too: development and tests. */
  readonly loopback: boolean;
}

/** Why nothing is read from an address, or undefined. */
export function refusedAddress(address: string, options: Options): string | undefined {
  const plain = MAPPED.exec(address)?.[1] ?? address;
  const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
  if (loopback.check(plain, family)) return options.loopback ? undefined : "is this machine";
  if (never.check(plain, family)) return "is no address of an issuer";
  if (internal.check(plain, family) && options.network === "public") return "is of a private network";
  return undefined;
}

/** Looks a name up and answers only addresses that may be read from: those are what is connected to. */
function guardedLookup(options: Options): LookupFunction {
  return (host, asked, answer) => {
    lookUp(host, { ...asked, all: true }, (error, found) => {
      if (error) return answer(error, "", 0);
      const refused = found.map(({ address }) => refusedAddress(address, options)).find((why) => why !== undefined);
      // One bad address among good ones is no accident.
      if (refused !== undefined) return answer(new Error(`${host} ${refused}`), "", 0);
      if (asked.all) return answer(null, found);
      const [first] = found;
      return first ? answer(null, first.address, first.family) : answer(new Error(`${host} has no address`), "", 0);
    });
  };
}

function checkedUrl(text: string, options: Options): URL {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.username !== "" || url.password !== "") throw new Error("the address holds credentials");
  const literal = isIP(host) !== 0;
  const refused = literal ? refusedAddress(host, options) : undefined;
  if (refused !== undefined) throw new Error(`${host} ${refused}`);
  const here = literal ? loopback.check(host, isIP(host) === 6 ? "ipv6" : "ipv4") : host === "localhost";
  if (url.protocol === "https:" || (url.protocol === "http:" && here && options.loopback)) return url;
  throw new Error("only https is read");
}

/**
 * Reads a document of an issuer, as text. Whoever administers a tenant says where its issuers are, so what may be reached
 * is bounded here: https alone (http on loopback in development), no redirects, no credentials, no addresses of this
 * machine, of links or, unless the operator says so, of private networks; every address a name has is looked at, and the
 * connection goes to what was looked at. A document is as long and takes as long as the limits say, and is answered 200.
 */
export function createIssuerFetch(options: Options): (url: string) => Promise<string> {
  const lookup = guardedLookup(options);
  return (text) =>
    new Promise((resolve, reject) => {
      const url = checkedUrl(text, options);
      const request = url.protocol === "https:" ? requestHttps : requestHttp;
      const signal = AbortSignal.timeout(limits.issuerDocumentMsMax);
      const headers = { accept: "application/json", "user-agent": "remit" };
      const asked = request(url, { lookup, headers, signal, agent: false }, (response) => {
        if (response.statusCode !== 200) {
          response.destroy();
          return reject(new Error(`the issuer answered ${response.statusCode}`));
        }
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on("data", (part: Buffer) => {
          bytes += part.length;
          parts.push(part);
          if (bytes > limits.issuerDocumentBytesMax) {
            response.destroy(new Error(`the document is longer than ${limits.issuerDocumentBytesMax} bytes`));
          }
        });
        response.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
        response.on("error", reject);
        response.on("aborted", () => reject(new Error("the issuer hung up")));
      });
      asked.on("error", reject);
      asked.end();
    });
}
