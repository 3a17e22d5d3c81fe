import type { Phases } from "../../src/load/loops.ts";
import type { Load, LoadSpec, RunResult } from "../../src/load/spec.ts";
import { type Comparison, compare, type Side, type SideResult } from "../../src/run/compare.ts";
import { type Outcome, outcome } from "../../src/targets.ts";
import type { Peer } from "./peer.ts";
import type { Request } from "./w1.ts";

/** A set of requests that the peers are timed on. */
export interface RequestSet {
  readonly id: "several" | "one";
  readonly title: string;
  readonly requests: readonly Request[];
}

export interface ContestResult {
  readonly set: RequestSet["id"];
  readonly title: string;
  /** Action decisions in a request, on average over the set. */
  readonly actionsPerRequest: number;
  readonly closed: readonly Comparison[];
  readonly peers: readonly PeerResult[];
}

export interface PeerResult {
  readonly name: string;
  /** The best of the closed loops, in requests and in action decisions a second. */
  readonly most: { readonly perSecond: number; readonly actionsPerSecond: number; readonly inFlight: number };
  /** One request in flight, and an open loop at 85% of the most. Microseconds. */
  readonly alone: { readonly p50: number; readonly p99: number };
  readonly loaded: { readonly perSecond: number; readonly p50: number; readonly p99: number };
}

const inFlightSteps = [32, 64];
const loadedShare = 0.85;

/** Remit's targets against the first peer: what was found, and whether it was kept. */
export function judgeContest({ title, peers }: ContestResult): Outcome[] {
  const [other, remit] = peers;
  if (other === undefined || remit === undefined) return [];
  const most = remit.most.actionsPerSecond / other.most.actionsPerSecond;
  const p99 = remit.loaded.p99 / other.loaded.p99;
  return [
    outcome(`${title}: action decisions/s / ${other.name}'s`, { atLeast: 1.5 }, most),
    outcome(`${title}: p99 at 85% of own maximum / ${other.name}'s`, { atMost: 0.5 }, p99),
  ];
}

export type RunPeer = (peer: Peer, spec: LoadSpec) => Promise<RunResult>;

/** One set of requests: each peer's most, and its latency alone and at 85% of its own most, in alternating short runs. */
export async function contest(
  set: RequestSet,
  peers: readonly Peer[],
  phases: Phases,
  rounds: number,
  run: RunPeer,
): Promise<ContestResult> {
  const actionsPerRequest = set.requests.reduce((sum, { actions }) => sum + actions.length, 0) / set.requests.length;
  const side = (peer: Peer, load: Load): Side => ({
    name: peer.name,
    load,
    run: () => run(peer, peerSpec(peer, set, load, phases)),
  });
  const step = (inFlight: number) =>
    compare(
      `${set.id}-closed-${inFlight}`,
      `${set.title}: ${inFlight} in flight`,
      peers.map((peer) => side(peer, { kind: "closed", inFlight })),
      rounds,
    );
  const alone = await step(1);
  const closed: Comparison[] = [];
  for (const inFlight of inFlightSteps) closed.push(await step(inFlight));
  const most = peers.map((_, i) => best(closed.map(({ sides }) => sides[i])));
  const loadedSides = peers.map((peer, i) => {
    const perSecond = Math.max(1, Math.round((most[i]?.perSecond ?? 0) * loadedShare));
    return side(peer, { kind: "open", perSecond });
  });
  const loaded = await compare(
    `${set.id}-loaded`,
    `${set.title}: open loop at 85% of own maximum`,
    loadedSides,
    rounds,
  );
  return {
    set: set.id,
    title: set.title,
    actionsPerRequest,
    closed: [alone, ...closed, loaded],
    peers: peers.map((peer, i) => {
      const { load, perSecond } = best([most[i]]);
      return {
        name: peer.name,
        most: {
          perSecond,
          actionsPerSecond: perSecond * actionsPerRequest,
          inFlight: load.kind === "closed" ? load.inFlight : 0,
        },
        alone: latency(alone.sides[i]),
        loaded: { perSecond: loaded.sides[i]?.perSecond ?? 0, ...latency(loaded.sides[i]) },
      };
    }),
  };
}

function latency(side: SideResult | undefined): { p50: number; p99: number } {
  return { p50: side?.p50 ?? Number.NaN, p99: side?.p99 ?? Number.NaN };
}

function best(sides: readonly (SideResult | undefined)[]): SideResult {
  const known = sides.filter((side) => side !== undefined).sort((a, b) => b.perSecond - a.perSecond);
  if (known[0] === undefined) throw new Error("no closed loop was measured");
  return known[0];
}

function peerSpec(peer: Peer, set: RequestSet, load: Load, phases: Phases): LoadSpec {
  const requests = set.requests.map((request, turn) => ({
    path: peer.path(request),
    headers: peer.headers(request, turn),
    body: Buffer.from(peer.encode(request)).toString("base64"),
  }));
  return {
    host: "127.0.0.1",
    port: peer.port,
    target: { kind: "unary", lane: "grpc", connections: 1, requests },
    inspect: peer.inspect(set.id),
    idPrefix: `w1${process.hrtime.bigint() % 100_000_000n}`,
    load,
    phases,
  };
}
