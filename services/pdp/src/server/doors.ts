import { connectNodeAdapter } from "@connectrpc/connect-node";
import { engineVersion } from "@remit/engine";
import type { Config } from "../config/index.ts";
import { hostPort } from "../foundation/address.ts";
import type { Clock } from "../foundation/clock.ts";
import { createCrowdRoom } from "../foundation/crowd-room.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import { STALE_WRITE_MS } from "../policies/index.ts";
import type { Metrics } from "../telemetry/index.ts";
import {
  adminServices,
  createAdminDesk,
  createDesk,
  createExchange,
  dataServices,
  logCauses,
  sessionRpcs,
} from "../wire/index.ts";
import { createBeginning } from "../wire/lanes/begin-in-turns.ts";
import { createConnectLane } from "../wire/lanes/connect.ts";
import { createGrpcLane, type GrpcLaneOptions } from "../wire/lanes/grpc.ts";
import { jwksHandler } from "./jwks.ts";
import { type Handler, type Listener, listen } from "./listen.ts";
import { listenForGrpc } from "./listen-grpc.ts";
import { operationsHandler } from "./operations.ts";
import type { Rooms } from "./rooms.ts";
import { createFronts, meshOf } from "./tls/front.ts";
import type { TlsKeeper } from "./tls/keeper.ts";
import { createVouches } from "./tls/vouch.ts";

/** Where the service is reached, as `host:port` with real ports. */
interface Addresses {
  readonly httpAddress: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly metricsAddress: string;
}

export interface Doors extends Addresses {
  /** Sessions attached to streams. */
  handles(): number;
  /** Says it is not ready, asks streams to move, finishes what is in flight, closes. */
  close(): Promise<void>;
}

interface Options {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly rooms: Rooms;
  readonly metrics: Metrics;
  /** Between slices of reading long requests; undefined: a turn of the event loop. */
  readonly collectingPause: Pause | undefined;
  /** The certificate of the service, where it has one. */
  readonly keeper: TlsKeeper | undefined;
  /** Between slices of telling very many callers or sessions something; undefined: a turn of the event loop. */
  readonly crowdPause: Pause | undefined;
}

/** Streams live 10 ± 2 minutes, so that a fleet rebalances and does not do so all at once. */
const streamLifeMs = () => (8 + 4 * Math.random()) * 60_000;

/** A machine whose clock is further from its store's is not to be trusted with what else it keeps time for. */
const SKEW_MS_MAX = 500;

/** Why this process cannot decide just now. */
function reasons(rooms: Rooms, closing: boolean): string[] {
  const { serving, stopped } = rooms.ledger.state();
  const why: string[] = [];
  if (closing) why.push("shutting down");
  if (stopped) why.push("the ledger has stopped for good; start the service anew");
  else if (!serving) why.push("the ledger cannot record");
  // One tenant that cannot be loaded grows stale by itself; the others go on.
  if (rooms.snapshots.pollAgeMs() > STALE_WRITE_MS) why.push("the policies are stale");
  const other = rooms.otherEngine();
  if (other !== undefined) why.push(`engine ${other} decides in this cell, and this build has ${engineVersion}`);
  const skewMs = rooms.clockSkewMs();
  if (Math.abs(skewMs) > SKEW_MS_MAX) {
    const where = skewMs > 0 ? "ahead of" : "behind";
    why.push(
      `this machine's clock is ${Math.round(Math.abs(skewMs))} ms ${where} its Postgres's: set one of them right`,
    );
  }
  return why;
}

/** Tenants named on a page that is for people. */
const TENANTS_NAMED_MAX = 5;

/** What an operator should know of a process that can decide. */
function notes(rooms: Rooms): string[] {
  const broken = rooms.snapshots.broken();
  const named = broken.slice(0, TENANTS_NAMED_MAX).map(({ tenant, usable }) => {
    const meanwhile = usable ? "the last good ones are in force" : "nothing of it is decided";
    return `the newest policies of tenant ${tenant} do not compile: ${meanwhile}`;
  });
  const more = broken.length > named.length ? [`and ${broken.length - named.length} tenants more`] : [];
  const differed = rooms.snapshots.differences().slice(-TENANTS_NAMED_MAX);
  const changed = differed.map(({ tenant, parts }) => {
    const what = `${parts.join(", ")} of tenant ${tenant}`;
    return `${what} changed in the database without a revision, and were loaded anew: find out who does that`;
  });
  const gap = rooms.ledgerGap();
  const missing =
    gap && `the ledger lacks record ${gap.missing} of epoch ${gap.epoch}: no record gets a place any more`;
  return [...named, ...more, ...changed, ...(missing ? [missing] : [])];
}

const READINESS_EVERY_MS = 100;

/** Notices every change of readiness, and tells those who watch. */
function watchReadiness(ready: () => boolean) {
  const watchers = new Set<() => void>();
  let last = ready();
  const look = () => {
    if (ready() === last) return;
    last = !last;
    for (const changed of watchers) changed();
  };
  const timer = setInterval(look, READINESS_EVERY_MS).unref();
  return {
    ready,
    look,
    subscribe(changed: () => void) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    close: () => clearInterval(timer),
  };
}

/** The services of both planes, and the streams that are open. */
function services({ config, clock, log, rooms, metrics, crowdPause }: Options) {
  const { identities, decide, report, explain, turns, sessions, admission } = rooms;
  const desk = createDesk(
    {
      ...{ identities, decide, report, explain, turns, admission, meter: metrics, sink: logCauses(log) },
      stalenessMs: (tenant) => Math.ceil(rooms.snapshots.stalenessMs(tenant)),
    },
    { deadlineDefaultMs: config.deadlineDefaultMs },
  );
  const exchange = createExchange({ desk, standing: rooms.standing, clock, streamLifeMs, newsPause: crowdPause });
  const data = dataServices(desk, exchange, sessionRpcs({ identities, sessions, admission, meter: metrics, clock }));
  const {
    registry,
    lifecycle,
    keys,
    believing,
    tenants,
    authorityBy,
    breakerResets,
    proposals,
    custody,
    revocations,
    budgetBooks,
    budgetHolds,
    budgetStandings,
    identityPages,
    storeTime,
    snapshots,
    policyStore: policies,
    ledger,
    listDecisions,
    listAdminCalls,
    recordCall,
  } = rooms;
  const admin = adminServices(
    createAdminDesk({
      ...{
        registry,
        lifecycle,
        keys,
        believing,
        tenants,
        authorityBy,
        breakerResets,
        proposals,
        custody,
        revocations,
        budgetBooks,
        budgetHolds,
        budgetStandings,
        identityPages,
        storeTime,
        snapshots,
        policies,
        ledger,
        listDecisions,
        listAdminCalls,
        identities,
        admission,
        recordCall,
        log,
        meter: metrics,
        uptime: { now: () => performance.now() },
      },
    }),
  );
  return { data, admin, exchange };
}

/** What each listener needs to know of certificates and proxies; nothing where neither is configured. */
function transport({ config, log, metrics, keeper }: Options) {
  const mesh = meshOf(config);
  return {
    front: createFronts({ config, keeper, mesh, log, count: metrics.turnedAway }),
    vouches: mesh || config.clientTrustFile !== undefined ? createVouches(mesh) : undefined,
  };
}

const ADMIN_BYTES = {
  messageBytesMax: limits.adminMessageBytesMax,
  messageLimit: "adminMessageBytesMax",
  jsonBytesMax: limits.adminJsonBytesMax,
} as const;

/** What speaks with callers and administrators, and the rooms in which very many of them take turns. */
function lanes(options: Options, { health, vouch }: Pick<GrpcLaneOptions, "health" | "vouch">) {
  const { log, crowdPause, collectingPause: pause } = options;
  const { data, admin, exchange } = services(options);
  const crowd = createCrowdRoom({ pause: crowdPause });
  const begins = createBeginning({ pause: crowdPause, crowd });
  const common = { log, messageBytesMax: limits.messageBytesMax, crowd };
  const ofCallers = { ...common, valuesMax: limits.messageValuesMax, services: data };
  return {
    ...{ exchange, crowd, begins },
    grpc: createGrpcLane({ ...ofCallers, begins, health, vouch }),
    connect: createConnectLane(ofCallers),
    adminLane: createConnectLane({ ...common, ...ADMIN_BYTES, services: admin, pause }),
  };
}

/** Opens every listener, or none. */
export async function openDoors(options: Options): Promise<Doors> {
  const { config, log, rooms, metrics, keeper } = options;
  let closing = false;
  const readiness = watchReadiness(() => reasons(rooms, closing).length === 0);
  const { front, vouches } = transport(options);
  const { grpc, connect, adminLane, exchange, crowd, begins } = lanes(options, {
    health: readiness,
    vouch: vouches?.grpc,
  });
  const listeners: Listener[] = [];
  const note = (listener: Listener): string => {
    listeners.push(listener);
    return hostPort(listener.address);
  };
  const open = async (address: Config["httpAddress"], variable: string, handler: Handler) =>
    note(await listen({ address, variable, handler, log, front, crowd, begins }));
  const openGrpc = async (address: Config["grpcAddress"], variable: string) =>
    note(await listenForGrpc({ address, variable, lane: grpc, front, log, crowd }));

  const close = async (): Promise<void> => {
    closing = true;
    readiness.look();
    const grace = config.shutdownGraceMs;
    const [operations, ...others] = listeners;
    await Promise.all([
      ...[grpc.drain(grace), connect.drain(grace), adminLane.drain(grace)],
      ...others.map((listener) => listener.close(grace)),
    ]);
    // Its page says "shutting down" for as long as there is something to shut down.
    await operations?.close(grace);
    readiness.close();
  };

  try {
    const contextValues = vouches && { contextValues: vouches.connect };
    const operations = operationsHandler({
      reasons: () => reasons(rooms, closing),
      notes: () => [...notes(rooms), ...(keeper?.notes() ?? [])],
      metrics,
    });
    const dataHandler = connectNodeAdapter({
      ...contextValues,
      routes: connect.routes,
      fallback: jwksHandler(rooms.jwks),
    });
    const adminHandler = connectNodeAdapter({ ...contextValues, routes: adminLane.routes });
    const addresses: Addresses = {
      // Nothing stands before the page of operations: whoever asks for it has no certificate.
      metricsAddress: note(
        await listen({
          address: config.metricsAddress,
          variable: "REMIT_METRICS_ADDRESS",
          handler: operations,
          log,
        }),
      ),
      grpcAddress: await openGrpc(config.grpcAddress, "REMIT_GRPC_ADDRESS"),
      httpAddress: await open(config.httpAddress, "REMIT_HTTP_ADDRESS", dataHandler),
      adminAddress: await open(config.adminAddress, "REMIT_ADMIN_ADDRESS", adminHandler),
    };
    return { ...addresses, handles: exchange.handles, close };
  } catch (error) {
    await close();
    throw error;
  }
}
