import type { Socket } from "node:net";
import type { Config } from "../../config/index.ts";
import { isLoopback } from "../../config/index.ts";
import type { Log } from "../../foundation/log.ts";
import { type Mesh, type Peer, plainPeer } from "../../identities/index.ts";
import type { TlsKeeper } from "./keeper.ts";
import { rememberPeer } from "./peers.ts";
import { refusePlaintext } from "./plaintext.ts";
import { createSecure, type TurnedAway } from "./secure.ts";

/** Gets a connection that may be spoken on: the socket itself, or what is within its TLS. */
export type HandOn = (socket: Socket, peer: Peer) => void;

/** Makes what every new connection of one listener passes first. `protocols`: what is spoken within TLS. */
export type MakeFront = (protocols: readonly string[], handOn: HandOn) => (socket: Socket) => void;

const HANDSHAKE_MS = 10_000;
const TOLD_EVERY_MS = 1_000;
// The first byte of every TLS connection, and no byte that HTTP begins with.
const TLS_HANDSHAKE = 0x16;

/** Tells of connections that were turned away: each counts, and one a second of each kind is logged. */
function createTeller(log: Log, count: (why: TurnedAway) => void) {
  const toldAtMs = new Map<TurnedAway, number>();
  return (why: TurnedAway, said: string, address: string): void => {
    count(why);
    const now = performance.now();
    if (now - (toldAtMs.get(why) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return;
    toldAtMs.set(why, now);
    log.warn({ why, said, address }, "a connection was turned away");
  };
}

/** Whether a connection begins as TLS does: looks at its first byte and puts it back. Silence is dropped. */
function looksLikeTls(socket: Socket, then: (tls: boolean) => void): void {
  const silent = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
  socket.on("close", () => clearTimeout(silent));
  socket.once("readable", () => {
    clearTimeout(silent);
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    socket.unshift(chunk);
    then(chunk[0] === TLS_HANDSHAKE);
  });
}

/** An address as it is compared: one of IPv4 that came over IPv6 is itself. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** Whose word on others counts; undefined where nobody's does. */
export function meshOf({ meshIdentity: self, meshPeers }: Config): Mesh | undefined {
  if (self === undefined) return undefined;
  const { loopback, addresses, ids } = meshPeers;
  return {
    self,
    isProxy({ address, shown }) {
      if (shown.kind === "spiffe" && ids.includes(shown.id)) return true;
      const plain = plainAddress(address);
      return (loopback && isLoopback(plain)) || addresses.includes(plain);
    },
  };
}

function secureFront(
  keeper: TlsKeeper,
  { clientCertificates }: Config,
  turnedAway: ReturnType<typeof createTeller>,
): MakeFront {
  return (protocols, handOn) => {
    const secure = createSecure({
      ...{ protocols, clientCertificates, turnedAway, handshakeMs: HANDSHAKE_MS },
      material: keeper.material(),
      connections: keeper.connections,
      handOn(socket, peer) {
        rememberPeer(socket, peer);
        handOn(socket, peer);
      },
    });
    keeper.add(secure);
    return (socket) =>
      looksLikeTls(socket, (tls) => {
        if (tls) return secure.accept(socket);
        turnedAway("plaintext", "it does not begin as TLS does", socket.remoteAddress ?? "");
        refusePlaintext(socket);
      });
  };
}

interface Options {
  readonly config: Config;
  readonly keeper: TlsKeeper | undefined;
  readonly mesh: Mesh | undefined;
  readonly log: Log;
  readonly count: (why: TurnedAway) => void;
}

/** What stands before the listeners, as the transport says; undefined where nothing does. */
export function createFronts({ config, keeper, mesh, log, count }: Options): MakeFront | undefined {
  const turnedAway = createTeller(log, count);
  if (keeper) return secureFront(keeper, config, turnedAway);
  if (config.transport !== "mesh" || !mesh) return undefined;
  return (_, handOn) => (socket) => {
    const peer = plainPeer(socket.remoteAddress ?? "");
    if (mesh.isProxy(peer)) return handOn(socket, peer);
    turnedAway("no_proxy", "it comes from no proxy of this service", peer.address);
    socket.destroy();
  };
}
