import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Shown } from "../../identities/index.ts";
import { readSvid } from "./svid.ts";

/** What a handshake has shown of the client. */
export interface Client {
  readonly shown: Shown;
  /** When its chain runs out, milliseconds since 1970; never without a certificate. */
  readonly notAfterMs: number;
  /** The fingerprint of the authority that vouched for it. */
  readonly anchor: string | undefined;
}

const CHAIN_MAX = 16;

/** The certificates of a chain, the client's first, the one that is trusted last. */
function chainOf(leaf: PeerCertificate): PeerCertificate[] {
  const chain = [leaf];
  for (let at: PeerCertificate = leaf; chain.length <= CHAIN_MAX; ) {
    const { issuerCertificate: above } = at as PeerCertificate & { issuerCertificate?: PeerCertificate };
    if (!above || above === at || above.fingerprint256 === at.fingerprint256) break;
    chain.push(above);
    at = above;
  }
  return chain;
}

/**
 * Who is at the other end of a finished handshake, by what OpenSSL has verified; a text says why its certificate is not
 * to be believed. The chain is read once a connection: it costs more than a decision.
 */
export function judgeClient(socket: TLSSocket, anchors: ReadonlySet<string>): Client | string {
  const leaf = socket.getPeerCertificate(true);
  if (!leaf?.raw) return { shown: { kind: "nobody" }, notAfterMs: Number.POSITIVE_INFINITY, anchor: undefined };
  if (!socket.authorized) return String(socket.authorizationError);
  const chain = chainOf(leaf);
  const anchor = chain.at(-1)?.fingerprint256 ?? "";
  if (!anchors.has(anchor)) return "it leads to no authority of the trust bundle";
  const notAfterMs = Math.min(...chain.map((one) => Date.parse(one.valid_to)));
  // Not a number, or past: whatever clock OpenSSL went by, ours must agree.
  if (!(notAfterMs > Date.now())) return "it has run out";
  return { shown: readSvid(leaf.raw), notAfterMs, anchor };
}
