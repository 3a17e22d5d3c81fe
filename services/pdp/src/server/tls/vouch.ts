import { type ContextValues, createContextValues } from "@connectrpc/connect";
import { createVouch, FORWARDED_HEADER, type Mesh, type Peer, plainPeer } from "../../identities/index.ts";
import { vouchedKey } from "../../wire/lanes/connect.ts";
import type { GrpcLaneOptions } from "../../wire/lanes/grpc.ts";
import type { Handler } from "../listen.ts";
import { peerByCertificate, peerOfSocket } from "./peers.ts";

type Request = Parameters<Handler>[0];

/** How each lane finds out what the connection of a call proves; undefined where none can prove anything. */
export interface Vouches {
  readonly grpc: NonNullable<GrpcLaneOptions["vouch"]>;
  readonly connect: (request: Request) => ContextValues;
}

// What grpc-js calls a peer: an address and its port, that of IPv6 without brackets.
function addressIn(peer: string): string {
  const at = peer.lastIndexOf(":");
  return at > 0 ? peer.slice(0, at) : peer;
}

function linesIn({ rawHeaders }: Request): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === FORWARDED_HEADER) lines.push(rawHeaders[at + 1] ?? "");
  }
  return lines;
}

function socketOf(request: Request): Parameters<typeof peerOfSocket>[0] {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}

export function createVouches(mesh: Mesh | undefined): Vouches {
  const vouch = createVouch(mesh);
  return {
    grpc(raw) {
      const lines = mesh ? raw.metadata.get(FORWARDED_HEADER).map(String) : [];
      const shown: Peer | undefined = peerByCertificate(raw.getAuthContext()?.sslPeerCertificate);
      if (!shown && lines.length === 0) return undefined;
      return vouch(shown ?? plainPeer(addressIn(raw.getPeer())), lines);
    },
    connect(request) {
      const vouched = vouch(peerOfSocket(socketOf(request)), mesh ? linesIn(request) : []);
      return createContextValues().set(vouchedKey, vouched);
    },
  };
}
