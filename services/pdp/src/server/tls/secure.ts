import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { TlsMaterial } from "../../config/index.ts";
import type { Peer } from "../../identities/index.ts";
import type { Connections } from "./connections.ts";
import { judgeClient } from "./judge.ts";

/** Takes connections that speak TLS, and hands them on once it is known who is there. */
export interface Secure {
  accept(socket: Socket): void;
  /** What the next handshakes go by. */
  use(material: TlsMaterial): void;
}

interface Options {
  readonly material: TlsMaterial;
  /** What is spoken within, the dearest first: `h2`, `http/1.1`. */
  readonly protocols: readonly string[];
  readonly clientCertificates: "optional" | "required";
  readonly connections: Connections;
  /** Hears of every connection that was turned away, and why. */
  readonly turnedAway: (why: TurnedAway, said: string, address: string) => void;
  readonly handOn: (socket: TLSSocket, peer: Peer) => void;
  readonly handshakeMs: number;
}

/** Why a connection was turned away before anything was asked on it. */
export type TurnedAway = "plaintext" | "handshake" | "certificate" | "no_certificate" | "no_proxy";

// Forward secrecy and authenticated encryption alone: the suites of TLS 1.3, and of 1.2 those like them.
const CIPHERS = [
  ...["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
  ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
  ...["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
].join(":");

function contextOf({ certificate, key, clientTrust }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificate,
    key,
    // Without a bundle nobody is asked, and nobody at all would be believed.
    ca: clientTrust ?? [],
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // Every connection is judged anew: a session taken up again would bring back a certificate as it was judged then.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Throws where OpenSSL does not take a certificate or a key. */
export function createSecure(options: Options): Secure {
  const { protocols, clientCertificates, connections, turnedAway, handOn, handshakeMs } = options;
  let { material } = options;
  const asks = material.clientTrust !== undefined;
  const server = createServer({
    ...contextOf(material),
    ALPNProtocols: [...protocols],
    requestCert: asks,
    // With `required` OpenSSL says so in the handshake, and whoever has none is told.
    rejectUnauthorized: asks && clientCertificates === "required",
    handshakeTimeout: handshakeMs,
  });
  const addressOf = (socket: Socket) => socket.remoteAddress ?? "";

  server.on("secureConnection", (socket) => {
    const client = judgeClient(socket, material.anchors);
    if (typeof client === "string") {
      turnedAway("certificate", client, addressOf(socket));
      socket.destroy();
      return;
    }
    const peer = connections.add(socket, client, addressOf(socket), Date.now());
    handOn(socket, peer);
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const { authorizationError } = socket as { authorizationError?: Error | string | null };
    const none = error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";
    const why = authorizationError ? "certificate" : none ? "no_certificate" : "handshake";
    turnedAway(why, String(authorizationError ?? error.code ?? error.message), addressOf(socket));
    socket.destroy();
  });

  return {
    accept: (socket) => void server.emit("connection", socket),
    use(next) {
      server.setSecureContext(contextOf(next));
      material = next;
    },
  };
}
