import { LRUCache } from "lru-cache";
import { Fault } from "../foundation/fault.ts";
import { type Forwarded, readForwarded } from "./forwarded-certificate.ts";

/** What a client's certificate says of who holds it, once the trust bundle has vouched for it. */
export type Shown =
  | { readonly kind: "spiffe"; readonly id: string }
  /** There is none, or it speaks of no SPIFFE id. */
  | { readonly kind: "nobody" }
  /** It speaks of one and breaks the rules for it. */
  | { readonly kind: "refused"; readonly problem: string };

/** The other end of a connection. */
export interface Peer {
  /** Its IP address, without port. */
  readonly address: string;
  readonly shown: Shown;
  /** Why what it has shown counts no more: it has run out, or whoever vouched is trusted no more. */
  withdrawn(): string | undefined;
  /** Calls back when the connection should be left, at once if that has been said already; answers how to stop that. */
  whenLeaving(leave: () => void): () => void;
}

/** Whose word on somebody else counts. */
export interface Mesh {
  /** The SPIFFE id of this service: our own proxy signs with it. */
  readonly self: string;
  /** Whether a peer is our own proxy: by its address, or by the SPIFFE id of its own certificate. */
  readonly isProxy: (peer: Pick<Peer, "address" | "shown">) => boolean;
}

/** What proxies say who asked them in. */
export const FORWARDED_HEADER = "x-forwarded-client-cert";
const HEADERS_MAX = 2_000;
const REMEMBERED_BYTES_MAX = 4_096;

// `retryable`: what was good once may be asked again on another connection, by whoever has another certificate by now.
function untrue(problem: string, retryable: boolean): Fault {
  return new Fault("unauthenticated", "certificate_invalid", `the client certificate counts for nothing: ${problem}`, {
    field: "certificate",
    retryable,
    fix: "connect anew with a certificate that holds; without one, send an API key or a token",
  });
}

function forged(problem: string, fix: string): Fault {
  return new Fault(
    "unauthenticated",
    "forwarded_certificate_refused",
    `the header ${FORWARDED_HEADER} is refused: ${problem}`,
    {
      field: FORWARDED_HEADER,
      fix,
    },
  );
}

/** Reads headers for one service, and remembers what they say: a proxy sends the same one with every call of a client. */
function createReader(mesh: Mesh): (header: string) => Forwarded {
  const known = new LRUCache<string, Forwarded>({ max: HEADERS_MAX });
  return (header) => {
    const found = known.get(header);
    if (found) return found;
    const said = readForwarded(header, mesh.self);
    if (header.length <= REMEMBERED_BYTES_MAX) known.set(header, said);
    return said;
  };
}

/** What the connection of a call proves. */
export interface Vouched {
  /**
   * The SPIFFE id that a call comes with, or undefined: that of the certificate which the peer itself has shown or,
   * where the peer is our own proxy, of the client that it speaks for. Throws a Fault for what claims more than it
   * proves. Asked for each frame of a stream, since what was proved may be withdrawn.
   */
  certified(): string | undefined;
  whenLeaving: Peer["whenLeaving"];
}

/**
 * Finds out what the connection of a call proves. `lines`: the header `x-forwarded-client-cert`, line by line; without a
 * `mesh` nobody looks at it.
 */
export function createVouch(mesh: Mesh | undefined): (peer: Peer, lines: readonly string[]) => Vouched {
  const read = mesh && createReader(mesh);
  const forwarded = (peer: Peer, lines: readonly string[], { isProxy }: Mesh): string | undefined => {
    if (!isProxy(peer)) {
      const fix = "leave the header out: a client says who it is by a certificate of its own, a token or an API key";
      throw forged(`it comes from ${peer.address}, which is no proxy of this service`, fix);
    }
    const fix = "let the proxy append to the header, or set it; this service takes it in one line, as Envoy writes it";
    const [header = "", ...more] = lines;
    if (more.length > 0) throw forged(`it stands there ${lines.length} times`, fix);
    const said = read?.(header);
    if (said?.kind === "refused") throw forged(said.problem, fix);
    return said?.kind === "spiffe" ? said.id : undefined;
  };
  return (peer, lines) => ({
    certified() {
      const withdrawn = peer.withdrawn();
      if (withdrawn !== undefined) throw untrue(withdrawn, true);
      const { shown } = peer;
      if (shown.kind === "refused") throw untrue(shown.problem, false);
      if (mesh && lines.length > 0) return forwarded(peer, lines, mesh);
      return shown.kind === "spiffe" ? shown.id : undefined;
    },
    whenLeaving: peer.whenLeaving,
  });
}

/** A peer that has shown nothing. */
export function plainPeer(address: string): Peer {
  return { address, shown: { kind: "nobody" }, withdrawn: () => undefined, whenLeaving: () => () => {} };
}
