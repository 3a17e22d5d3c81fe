import type { LatencyUs } from "../../src/load/latency.ts";
import { clientsOf } from "../../src/remit/clients.ts";
import { benchAgentName, benchTool, paymentsDocuments } from "../../src/remit/payments.ts";
import { seed } from "../../src/remit/seed.ts";
import { rawClient } from "../../src/run/raw-client.ts";
import { type Asker, askEach, type Proved } from "./ask.ts";
import { type House, type Started, start } from "./house.ts";
import { type Memory, memoryOf } from "./memory.ts";
import { addRules } from "./rules.ts";

const input = { account: "DE02120300000000202051", amount: 40, country: "DE", memo: "rent" };
const context = { channel: "web", user: { id: "ada", tier: "gold" }, ip: "192.0.2.7" };
const fillInFlight = 16;

/** What the first start on an empty database left. */
export interface Founded {
  readonly ownerKey: string;
  readonly callerKey: string;
  /** The session that all others are made like. */
  readonly session: string;
  readonly listeningMs: number;
  readonly memory: Memory;
}

/** Starts on an empty database, and sets up what every later start finds. */
export async function found(house: House, rules: number, links: number): Promise<Founded> {
  const service = await start(house);
  const { listeningMs, ownerKey } = service;
  const memory = await memoryOf(service.pid);
  const owner = clientsOf(service, ownerKey);
  await seed(owner, paymentsDocuments);
  // How long a chain may be is asked at every decision: by default it is four links.
  await owner.tenant.updateTenant({ tenant: "default", quotas: { delegationDepth: links } });
  await addRules(service, rules);
  const { key: callerKey } = await owner.caller.createKey({
    ...{ name: "bench", agents: [`${benchAgentName}*`], mayAssertPrincipals: true },
  });
  const onBehalfOf = { case: "principal", value: { id: "person-0" } } as const;
  const { session } = await clientsOf(service, callerKey).session.openSession({ agent: benchAgentName, onBehalfOf });
  await service.stop();
  return { ownerKey, callerKey, session: session?.id ?? "", listeningMs, memory };
}

/** What a service was when nothing had been asked of it, and after its first call. */
export interface Woken {
  readonly listeningMs: number;
  readonly firstCallMs: number;
  readonly memory: Memory;
}

export interface Awake extends Woken {
  readonly service: Started;
  readonly asker: Asker;
  stop(): Promise<void>;
}

/** Starts again, and asks one call: what a tenant's first call after a restart waits for. */
export async function wake(house: House, { ownerKey, callerKey }: Founded, first: Proved): Promise<Awake> {
  const service = await start(house, ownerKey);
  const client = rawClient(service.grpcPort);
  const asker = { client, callerKey, tool: benchTool, input, context };
  const { max } = await askEach(asker, [first], 1);
  const stop = async () => {
    client.close();
    await service.stop();
  };
  const memory = await memoryOf(service.pid);
  return { service, asker, listeningMs: service.listeningMs, firstCallMs: max / 1000, memory, stop };
}

/** One call of sessions that nothing is known of here, and the next call of the same ones; in microseconds. */
export interface ColdAndWarm {
  readonly cold: LatencyUs;
  readonly warm: LatencyUs;
}

/** One call in flight. The first of a process are slow for reasons of their own, and are not counted. */
export async function coldAndWarm(asker: Asker, sessions: readonly Proved[]): Promise<ColdAndWarm> {
  return { cold: await askEach(asker, sessions, 1), warm: await askEach(asker, sessions, 1) };
}

/** Asks a call of every session, so that all are remembered. */
export async function fill({ service, asker }: Awake, sessions: readonly Proved[]): Promise<Memory> {
  await askEach(asker, sessions, fillInFlight);
  return memoryOf(service.pid);
}
