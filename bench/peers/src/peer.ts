import type { Header } from "../../src/http2/header-block.ts";
import { idPlaceholder, idWriter } from "../../src/http2/prepared.ts";
import type { InspectName } from "../../src/load/spec.ts";
import { rawClient } from "../../src/run/raw-client.ts";
import { allows, type Request } from "./w1.ts";

/** A decision point that is compared: how it is asked, and how its answer reads. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  path(request: Request): string;
  headers(request: Request, turn: number): readonly Header[];
  encode(request: Request): Uint8Array;
  allowed(answer: Uint8Array, request: Request): Set<string>;
  /** How sampled answers are looked at under load, for requests of one action or of several. */
  inspect(actions: "one" | "several"): InspectName;
}

export interface Agreement {
  readonly requests: number;
  readonly actions: number;
  readonly allowed: number;
}

/** Fills the placeholders of an encoded request with ids of their own. */
export function withIds(body: Uint8Array, writeId: (into: Buffer, at: number) => void): Buffer {
  const bytes = Buffer.from(body);
  for (let at = bytes.indexOf(idPlaceholder); at >= 0; at = bytes.indexOf(idPlaceholder)) writeId(bytes, at);
  return bytes;
}

/**
 * Asks every request of every peer and holds the answers against the rules in plain code. Throws, naming every
 * disagreement (the first twenty), when one differs: what does not decide alike must not be timed side by side.
 */
export async function verifyEqual(peers: readonly Peer[], requests: readonly Request[]): Promise<Agreement> {
  const differences: string[] = [];
  let allowed = 0;
  for (const peer of peers) {
    const client = rawClient(peer.port);
    const writeId = idWriter("verify");
    for (const [turn, request] of requests.entries()) {
      const body = withIds(peer.encode(request), writeId);
      const answer = await client.call(peer.path(request), peer.headers(request, turn), body);
      const said = peer.allowed(answer, request);
      for (const action of request.actions)
        differences.push(...difference(peer.name, request, action, said.has(action)));
      allowed += said.size;
    }
    client.close();
  }
  if (differences.length > 0)
    throw new Error(`${differences.length} answers differ from W1's rules:\n${differences.slice(0, 20).join("\n")}`);
  const actions = requests.reduce((sum, request) => sum + request.actions.length, 0);
  return { requests: requests.length, actions, allowed: allowed / peers.length };
}

function difference(name: string, request: Request, action: string, said: boolean): string[] {
  if (said === allows(request, action)) return [];
  const { principal, resource } = request;
  const about = `${resource.kind}/${resource.id} (${resource.version}${resource.scope === "" ? "" : `, ${resource.scope}`})`;
  return [`${name}: ${principal.id} ${action} ${about}: ${said ? "allowed" : "denied"}, and the rules say otherwise`];
}
