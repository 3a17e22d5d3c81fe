import type { TLSSocket } from "node:tls";
import { type Peer, plainPeer } from "../../identities/index.ts";

const byCertificate = new WeakMap<object, Peer>();

/**
 * Remembers a connection's peer. Both lanes reach the socket only through what their libraries wrap around it, and both
 * may ask it for the client's certificate: from now on that answers one object, made once, which the peer is known by.
 * Reading the certificate anew for each call would cost more than deciding it.
 */
export function rememberPeer(socket: TLSSocket, peer: Peer): void {
  const certificate = socket.getPeerCertificate();
  byCertificate.set(certificate, peer);
  socket.getPeerCertificate = (() => certificate) as TLSSocket["getPeerCertificate"];
}

/** What Node tells of a socket, however it is wrapped. */
interface SocketLike {
  readonly remoteAddress?: string | undefined;
  readonly getPeerCertificate?: () => object;
}

/** The peer that is known by what its socket answers for a certificate. */
export function peerByCertificate(certificate: object | undefined): Peer | undefined {
  return certificate && byCertificate.get(certificate);
}

/** The peer at the other end of a socket. One that has closed meanwhile has no address, and is nobody's proxy. */
export function peerOfSocket(socket: SocketLike | undefined): Peer {
  return peerByCertificate(socket?.getPeerCertificate?.()) ?? plainPeer(socket?.remoteAddress ?? "");
}
