import type { Ask, Asker } from "../../src/decisions/ask.ts";
import { createBreakers } from "../../src/decisions/breakers.ts";
import { createDecide } from "../../src/decisions/decide.ts";
import { createExplain } from "../../src/decisions/explain.ts";
import { createRedaction } from "../../src/decisions/redaction.ts";
import { createSessions } from "../../src/decisions/sessions.ts";
import { settableClock } from "../../src/foundation/clock.ts";
import { Fault } from "../../src/foundation/fault.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import type { Caller, Identities, Session } from "../../src/identities/index.ts";
import { createSnapshots, type Revocable } from "../../src/policies/index.ts";
import { createScheduler, seeded } from "../ledger/scheduler.ts";
import { explainNoBudgets, noBudgets } from "../support/no-budgets.ts";
import {
  AGENTS,
  covers,
  createWorld,
  PRINCIPALS,
  type RevocationRules,
  START_MS,
  TENANT,
  TOOLS,
  type World,
} from "./world.ts";

const REPLICAS = 3;
const REQUESTS = 50;
const TURNS_MAX = 20_000;

const caller: Caller = {
  ...{ id: "c", tenant: TENANT, name: "owner", roles: ["owner"], agents: ["*"], mayAssertPrincipals: true },
  ...{ revoked: false, createdAtMs: START_MS },
};

/** A replica: its own snapshot, and its own memory of who asks. */
function createReplica(
  world: World,
  rules: RevocationRules,
  step: (name: string) => Promise<void>,
  newId: () => string,
) {
  const { policies, ledger, session: read } = world.reached(step);
  const clock = settableClock(START_MS);
  const snapshots = createSnapshots({
    ...{ store: policies, clock: { now: () => 0 }, log: silentLog, pause: async () => {} },
  });
  const remembered = new Map<string, { readonly row: Session; readonly security: bigint }>();

  /** Who asks for a session, as identities know it. */
  const whoAsks =
    (id: string) =>
    async (anew = false): Promise<Asker> => {
      const known = remembered.get(id);
      const again = anew && rules.replays === "ask the store";
      const fresh = known && known.security >= snapshots.security(TENANT);
      if (known && fresh && !again) return { caller, session: known.row, security: known.security };
      const found = await read(id);
      const row = known && rules.sessions === "never read again" ? known.row : found.row;
      remembered.set(id, { row, security: found.security });
      return { caller, session: row, security: found.security };
    };
  const redaction = createRedaction(() => {
    throw new Error("no tool redacts anything here");
  });
  const lenient = { ...snapshots, latest: async (tenant: string) => snapshots.current(tenant) };
  const unrecorded = rules.noCommit === "asks the store" ? snapshots : lenient;
  const identities: Partial<Identities> = {
    sessionById: async (_caller, id) => (await read(id)).row,
    issueToken: async () => ({ token: "token", expiresAtMs: START_MS }),
  };
  const change = async () => {
    await step("a change travels");
    return { ok: true, value: {} } as never;
  };
  return {
    snapshots,
    policies,
    whoAsks,
    decide: createDecide({
      breakers: createBreakers(undefined),
      ...{ snapshots, ledger, redaction, charging: noBudgets, budgetFacts: () => undefined, clock, newId },
    }),
    explain: createExplain({
      ...{ snapshots: unrecorded, redaction, budgetFacts: () => undefined, explainBudgets: explainNoBudgets, clock },
    }),
    sessions: createSessions({
      ...{ identities: identities as Identities, snapshots: unrecorded, change, clock, newId },
      books: { balances: async () => [] },
    }),
  };
}

const askOf = (callId: string, tool: string): Ask => ({
  ...{ callId, tool, input: strictObject({}, "input"), context: strictObject({}, "context") },
  ...{ answers: strictObject({}, "answers"), estimate: [], schemaDigest: "", approvalId: "", supportedConstraints: [] },
  ...{ wantPermit: false, minRevision: 0n, traceId: "", withinMs: 1_000 },
});

const opening = (agent: string, principal: string) => ({
  ...{ agent, principal: { id: principal, labels: {} }, purpose: "", scope: undefined, lifetimeSeconds: 60 },
  ...{ runId: undefined, labels: {}, details: {}, budgets: [] },
});

export interface SimulatedRevocations {
  readonly violations: string[];
  /** How often each kind of answer was given. */
  readonly seen: Map<string, number>;
}

/** One schedule of replicas, revocations and requests: everything follows from the seed. */
export async function simulateRevocations(seed: number, rules: RevocationRules): Promise<SimulatedRevocations> {
  const random = seeded(seed);
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;
  const scheduler = createScheduler(random, 0);
  const world = createWorld(rules);
  let ids = 0;
  const newId = () => `id-${++ids}`;
  // A replica that is paused does nothing until it is let on, whatever has arrived for it.
  const paused = Array.from({ length: REPLICAS }, () => false);
  const replicas = paused.map((_, at) => {
    const step = async (name: string): Promise<void> => {
      do await scheduler.step(name);
      while (paused[at]);
    };
    return createReplica(world, rules, step, newId);
  });
  const [violations, seen] = [[] as string[], new Map<string, number>()];
  const count = (kind: string) => seen.set(kind, (seen.get(kind) ?? 0) + 1);
  // Acknowledged and not asked to be lifted; and those that may hold at some moment from now on.
  const binding = new Map<string, Revocable>();
  const possible = new Set<Revocable>();
  // Of each request that is under way: what may have held at some moment since it was asked.
  const underWay = new Set<Set<Revocable>>();
  const allowed: { readonly session: string; readonly callId: string; readonly tool: string }[] = [];

  const revocable = (): Revocable => {
    const kind = pick(["agent", "session", "principal", "tool", "labels", "tenant"] as const);
    const labels = kind === "labels" ? pick([{ wing: "east" }, { of: "clerk" }, { wing: "west", of: "planner" }]) : {};
    const subjects = { agent: AGENTS, session: world.sessionIds, principal: PRINCIPALS, tool: TOOLS };
    const subject = kind === "labels" ? JSON.stringify(labels) : kind === "tenant" ? "" : pick<string>(subjects[kind]);
    return { kind, subject, labels };
  };
  const revokeOne = async (): Promise<void> => {
    const [id, of] = [newId(), revocable()];
    possible.add(of);
    for (const heldMeanwhile of underWay) heldMeanwhile.add(of);
    await scheduler.step("a revocation travels");
    const moveLater = world.revoke(id, of);
    await scheduler.step("its acknowledgement travels");
    binding.set(id, of);
    count(`revoked: ${of.kind}`);
    await scheduler.step("what is left to do");
    moveLater();
    if (of.kind === "session") return;
    await scheduler.step("somebody has it lifted");
    binding.delete(id);
    await scheduler.step("a lift travels");
    world.lift(id);
    await scheduler.step("its acknowledgement travels");
    possible.delete(of);
  };

  const requestOf = (way: string) => {
    const replica = pick(replicas);
    const again = way === "ask again" ? pick(allowed) : undefined;
    const session = world.session(again?.session ?? pick(world.sessionIds));
    const tool = again?.tool ?? pick<string>(TOOLS);
    const who = replica.whoAsks(session.id);
    const [agent, principal] = [pick<string>(AGENTS), pick<string>(PRINCIPALS)];
    const callId = again?.callId ?? newId();
    const decide = async () => {
      const { effect, reason } = (await replica.decide(who, askOf(callId, tool))).body;
      if (effect === "allow" && !again) allowed.push({ session: session.id, callId, tool });
      return effect === "allow" ? "" : reason.code;
    };
    const run: Readonly<Record<string, () => Promise<string>>> = {
      decide,
      "ask again": decide,
      explain: async () => {
        const { effect, reason } = (await replica.explain(who, askOf(callId, tool))).verdict;
        return effect === "allow" ? "" : reason.code;
      },
      renew: async () => {
        await replica.sessions.renew(caller, session.id);
        return "";
      },
      open: async () => {
        await replica.sessions.open(caller, opening(agent, principal));
        return "";
      },
    };
    const opened: Session = {
      ...session,
      id: "new",
      ancestors: [],
      labels: {},
      agent,
      principal: { id: principal, verified: false, labels: {} },
    };
    const of = way === "open" ? opened : session;
    return {
      run: run[way] as () => Promise<string>,
      covered: (one: Revocable) => covers(one, of, way === "renew" || way === "open" ? undefined : tool),
    };
  };
  const request = async (): Promise<void> => {
    const way =
      allowed.length > 0 ? pick(["decide", "decide", "ask again", "ask again", "explain", "renew", "open"]) : "decide";
    const { run, covered } = requestOf(way);
    const boundThen = [...binding.entries()].filter(([, one]) => covered(one));
    const maybe = new Set(possible);
    underWay.add(maybe);
    let code: string;
    try {
      code = await run();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      code = error.kind === "precondition" ? error.reason : `failed: ${error.reason}`;
    }
    const still = boundThen.filter(([id]) => binding.has(id)).map(([, one]) => one.kind);
    underWay.delete(maybe);
    if (code === "" && still.length > 0) violations.push(`${way} was allowed although ${still} was revoked before`);
    if (code !== "" && ![...maybe].some(covered) && !code.startsWith("failed")) {
      violations.push(`${way} was refused, ${code}, by nothing that held when it was asked, or later`);
    }
    count(`${way}: ${code === "" ? "allowed" : code}`);
  };

  const failed = (error: unknown) => void violations.push(`something broke: ${(error as Error).message}`);
  for (let asked = 0; asked < REQUESTS; ) {
    const chance = random();
    if (chance < 0.04) void revokeOne().catch(failed);
    else if (chance < 0.09) paused[Math.floor(random() * REPLICAS)] = random() < 0.6;
    else if (chance < 0.14) {
      const { snapshots, policies } = pick(replicas);
      void policies.revisions(TENANT).then((now) => snapshots.polled(new Map([[TENANT, now]]), 0), failed);
    } else if (chance < 0.34) {
      void request().catch(failed);
      asked++;
    }
    await scheduler.turn();
  }
  paused.fill(false);
  for (let turn = 0; turn < TURNS_MAX && (await scheduler.turn()); turn++);
  return { violations, seen };
}
