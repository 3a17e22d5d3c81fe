import { createBudgets } from "../../src/budgets/index.ts";
import type { Asker, Outcome } from "../../src/decisions/ask.ts";
import { createBreakers } from "../../src/decisions/breakers.ts";
import {
  createBudgetHolds,
  createCharging,
  createDecide,
  createExpiring,
  createRecentDecisions,
  createReport,
} from "../../src/decisions/index.ts";
import { noRecentDecisions } from "../../src/decisions/recent.ts";
import { createRedaction } from "../../src/decisions/redaction.ts";
import { limits } from "../../src/foundation/limits.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import type { Ledger } from "../../src/ledger/index.ts";
import type { Snapshot, Snapshots } from "../../src/policies/index.ts";
import { operator } from "./product.ts";
import type { Mangle } from "./rules.ts";
import { saidBy } from "./said.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Replica, TENANT, type World } from "./world-port.ts";

/** What a caller asks, as little as matters here. */
export interface Asked {
  readonly call: string;
  /** What is the same for all ids of one call. */
  readonly order: string;
  readonly session: string;
  readonly tool: string;
  readonly shop: string;
  /** What it may cost, by unit, in millionths. */
  readonly estimate: ReadonlyMap<string, bigint>;
  /** What people said, once they did. */
  readonly agreed?: Agreed;
}

/** `perhaps` asks them once more, and `unclear` the caller. */
export type Agreed = "yes" | "no" | "perhaps" | "unclear";

export interface Answered {
  readonly decision: string;
  /** The id under which its call was asked first. */
  readonly of: string;
  readonly effect: string;
  readonly code: string;
  /** Policies are only watched: nothing is held for it. */
  readonly watched: boolean;
  readonly retryable: boolean;
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
  /** The same by a build that knows no budgets. */
  reportAsBefore(told: Told): Promise<void>;
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

const declaredByNames = new Map<string, Snapshot["budgets"]>();

/** The budgets that are declared: the same object as long as they are the same, as what is made of them is kept for it. */
function declaredOf({ snapshot }: Options["product"], { state }: World): Snapshot["budgets"] {
  const there = [...snapshot.budgets].filter(([name]) => state.budgets.has(`${TENANT}/${name}`));
  const names = there.map(([name]) => name).join();
  const known = declaredByNames.get(names) ?? new Map(there);
  declaredByNames.set(names, known);
  return known;
}

/** Policies are what they are; what is declared and set is read again when the product asks for it. */
function snapshotsOf({ world, replica, product }: Options): Snapshots {
  const { snapshots, snapshot } = product;
  const read = (): Snapshot => {
    const { suspended, watched } = world.settings();
    const status = suspended ? ("suspended" as const) : ("active" as const);
    const settings = { ...snapshot.settings, status, mode: watched ? ("observe" as const) : ("enforce" as const) };
    const revisions = { ...snapshot.revisions, security: world.security() };
    return { ...snapshot, settings, revisions, budgets: declaredOf(product, world) };
  };
  let current = read();
  const refresh = async () => {
    const found = await world.read(replica, "policies read", read);
    // Of two that were under way the later read stands.
    if (found.revisions.security >= current.revisions.security) current = found;
    return current;
  };
  return {
    ...{ ...snapshots, current: () => current, held: () => current, stalenessMs: () => 0, refresh, secured: refresh },
    security: () => current.revisions.security,
  };
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
  const snapshots = snapshotsOf(options);
  const rooms = {
    snapshots,
    ledger,
    clock,
    newId,
    redaction,
    charging,
    breakers: createBreakers(undefined),
    budgetFacts: () => undefined,
    recent: createRecentDecisions(limits),
  };
  const decide = createDecide(rooms);
  const reporting = { ...rooms, onMismatch: () => {}, onLate: () => {} };
  const report = createReport(reporting);
  const before: Ledger["record"] = async ({ charge, ...plain }, how) => {
    if (charge && !charge.hold && saidBy(plain).corrects) throw new Error("that build corrects nothing");
    if (charge && charge.hold?.step !== "extend") world.settledBefore.add(plain.id);
    return ledger.record(plain, how);
  };
  const reportAsBefore = createReport({
    ...reporting,
    recent: noRecentDecisions,
    ledger: { ...ledger, record: before },
  });
  const expire = createExpiring({ ...rooms, store, onExpired: () => {} });
  const who = (session: string) => async (anew?: boolean) => {
    const known = anew ? await world.read(replica, "asker read", world.security) : snapshots.security(TENANT);
    return { ...(askers.get(session) as Asker), security: known };
  };
  const toldAs = ({ subject, outcome, actual }: Told) => ({
    ...{ subject, outcome, actual: amounts(actual), inputDigest: "", outputDigest: "", labels: [] },
    ...{ startedAtMs: undefined, durationMs: undefined, traceId: "" },
  });
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
    decide: async ({ call, order, session, tool, shop, estimate, agreed }) => {
      const { body, callId } = await decide(who(session), {
        ...{
          callId: call,
          tool,
          input: strictObject({ shop, order }, "input"),
          context: nothing,
          estimate: amounts(estimate),
        },
        answers: strictObject(agreed ? { agreed } : {}, "answers"),
        ...{ schemaDigest: "", approvalId: "", supportedConstraints: [], wantPermit: false, minRevision: 0n },
        ...{ traceId: "", withinMs: 2_000 },
      });
      const { code, retryable } = body.reason;
      return { decision: body.id, of: callId, effect: body.effect, code, retryable, watched: body.mode === "observed" };
    },
    report: async (told) => void (await report(who(told.session), toldAs(told))),
    reportAsBefore: async (told) => void (await reportAsBefore(who(told.session), toldAs(told))),
    sweep: async () => void (await expire()),
    resolve: async (hold, as) => void (await resolve(operator, hold, as, "looked at")),
  };
}
