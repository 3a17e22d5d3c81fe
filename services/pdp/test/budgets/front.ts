import { createBudgets } from "../../src/budgets/index.ts";
import type { Asker, Outcome } from "../../src/decisions/ask.ts";
import { createBreakers } from "../../src/decisions/breakers.ts";
import {
  createBudgetHolds,
  createCharging,
  createDecide,
  createExpiring,
  createReport,
} from "../../src/decisions/index.ts";
import { createRedaction } from "../../src/decisions/redaction.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import type { Ledger } from "../../src/ledger/index.ts";
import type { Snapshot, Snapshots } from "../../src/policies/index.ts";
import { operator } from "./product.ts";
import type { Mangle } from "./rules.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Replica, TENANT, type World } from "./world.ts";

/** What a caller asks, as little as matters here. */
export interface Asked {
  readonly call: string;
  readonly session: string;
  readonly tool: string;
  readonly shop: string;
  /** What it may cost, by unit, in millionths. */
  readonly estimate: ReadonlyMap<string, bigint>;
  /** What people said, once they did. */
  readonly agreed?: "yes" | "no" | "perhaps";
}

export interface Answered {
  readonly decision: string;
  readonly effect: string;
  readonly code: string;
}

export interface Told {
  readonly session: string;
  readonly subject: { readonly decisionId: string } | { readonly callId: string };
  readonly outcome: Outcome;
  readonly actual: ReadonlyMap<string, bigint>;
}

/** The doors of one replica: the product's own, over a simulated store. */
export interface Front {
  decide(asked: Asked): Promise<Answered>;
  report(told: Told): Promise<void>;
  /** Ends holds whose time is over. */
  sweep(): Promise<void>;
  /** An operator says what became of a hold. */
  resolve(hold: string, as: "spent" | "released"): Promise<void>;
}

interface Options {
  readonly world: World;
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  readonly replica: Replica;
  readonly product: { readonly snapshots: Snapshots; readonly snapshot: Snapshot };
  readonly newId: () => string;
  readonly askers: ReadonlyMap<string, Asker>;
  /** What becomes of an operator's record on its way. */
  readonly mangle: Mangle;
}

const amounts = (of: ReadonlyMap<string, bigint>) => [...of].map(([unit, micros]) => ({ unit, micros }));
const nowhere = () => Promise.reject(new Error("nobody asks that here"));
const nothing = strictObject({}, "context");

/** Policies are what they are; which budgets are declared is read again when the product asks for it. */
function snapshotsOf({ world, scheduler, replica, product }: Options): Snapshots {
  const { snapshots, snapshot } = product;
  let current = snapshot;
  const refresh = async () => {
    await scheduler.step(replica, ["policies read: answer travels"]);
    const declared = [...snapshot.budgets].filter(([name]) => world.state.budgets.has(`${TENANT}/${name}`));
    current = { ...snapshot, budgets: new Map(declared) };
    return current;
  };
  return { ...snapshots, current: () => current, held: () => current, stalenessMs: () => 0, refresh, secured: refresh };
}

export function createFront(options: Options): Front {
  const { world, ledger, replica, newId, askers, mangle } = options;
  const clock = { now: () => world.nowMs() + replica.skewMs };
  const store = world.budgetStore(replica);
  const budgets = createBudgets({ store, clock, uptime: clock, accountsMax: 100 });
  // What it takes for the store's time may be as wrong as its own clock.
  const storeClock = replica.believes ? clock : { now: world.nowMs };
  const charging = createCharging({ budgets, clock, storeClock });
  const redaction = createRedaction(() => {
    throw new Error("no tool redacts anything here");
  });
  const rooms = {
    snapshots: snapshotsOf(options),
    ledger,
    clock,
    newId,
    redaction,
    charging,
    breakers: createBreakers(undefined),
    budgetFacts: () => undefined,
  };
  const decide = createDecide(rooms);
  const report = createReport({ ...rooms, onMismatch: () => {}, onLate: () => {} });
  const expire = createExpiring({ ...rooms, store, onExpired: () => {} });
  const who = (session: string) => async () => askers.get(session) as Asker;
  const operators = world.operators(replica);
  const { resolve } = createBudgetHolds({
    ...rooms,
    booksStore: {
      hold: (_tenant, id) => operators.hold(id),
      ...{ standings: nowhere, standing: nowhere, account: nowhere, accounts: nowhere, over: nowhere },
      ...{ holds: nowhere, verify: nowhere },
    },
    change: async (_by, change) => {
      if (change.kind !== "hold_resolved") throw new Error("operators only end holds here");
      const value = { revisions: { security: 1n, policy: 1n }, record: { epoch: 0n, n: 0n }, versions: [] };
      return (await operators.end(mangle(change.ending, world.state)))
        ? { ok: true, value }
        : { ok: false, refusal: "missing" };
    },
    seal: async (record) => record,
  });

  return {
    decide: async ({ call, session, tool, shop, estimate, agreed }) => {
      const { body } = await decide(who(session), {
        ...{
          callId: call,
          tool,
          input: strictObject({ shop }, "input"),
          context: nothing,
          estimate: amounts(estimate),
        },
        answers: strictObject(agreed ? { agreed } : {}, "answers"),
        ...{ schemaDigest: "", approvalId: "", supportedConstraints: [], wantPermit: false, minRevision: 0n },
        ...{ traceId: "", withinMs: 2_000 },
      });
      return { decision: body.id, effect: body.effect, code: body.reason.code };
    },
    report: async ({ session, subject, outcome, actual }) => {
      await report(who(session), {
        ...{ subject, outcome, actual: amounts(actual), inputDigest: "", outputDigest: "", labels: [] },
        ...{ startedAtMs: undefined, durationMs: undefined, traceId: "" },
      });
    },
    sweep: async () => void (await expire()),
    resolve: async (hold, as) => void (await resolve(operator, hold, as, "looked at")),
  };
}
