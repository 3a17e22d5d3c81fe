import {
  type Account,
  type Balance,
  type Budgets,
  type Cover,
  type CoveredCall,
  type Due,
  duesOf,
  type Owing,
  refuses,
} from "../budgets/index.ts";
import { assert } from "../foundation/assert.ts";
import type { JsonObject } from "../foundation/canonical.ts";
import type { Clock } from "../foundation/clock.ts";
import { limits } from "../foundation/limits.ts";
import type { Short } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import { seriesOf } from "./budget-fixed.ts";
import { coveringOf } from "./covering-of.ts";
import type { Judged } from "./finding.ts";
import { type GivenAccounts, givenAccounts } from "./given-accounts.ts";
import type { Holding, SparedAccount } from "./holding.ts";
import { pricedCall } from "./pricing.ts";
import {
  coveredByMany,
  keepsNoMore,
  refusedFor,
  type Shortage,
  shortageOf,
  unchargeable,
  watchedFor,
} from "./shortage.ts";
import { createSpendingStops } from "./spending-stop.ts";
import { createUnheld } from "./unheld.ts";
import { standingNow } from "./watched-accounts.ts";

/** A verdict after its budgets were asked, and what its record does to them. */
export interface Charged {
  readonly judged: Judged;
  readonly holding: Holding | undefined;
}

/** Of the budgets that cover a call one is not declared any more: what is known here of the tenant is too old. */
export const UNDECLARED = "undeclared";

/** One attempt that was judged. */
export interface Asked {
  readonly snapshot: Snapshot;
  readonly asker: Asker;
  readonly ask: Ask;
  readonly attempt: Attempt;
  readonly judged: Judged;
  readonly withinMs: number;
}

export interface Charging {
  /** Whether budgets have anything to do with an attempt at all. */
  concerns(snapshot: Snapshot, attempt: Attempt, session: Asker["session"]): boolean;
  /**
   * What a call owes its budgets. Undefined where it owes nothing and nothing was held for it before. At once where its
   * accounts are known. `short`: why the commit did not let it in the last time.
   */
  charge(asked: Asked, short: Shortage | undefined): Charged | undefined | Promise<Charged | typeof UNDECLARED>;
  /** How far the store's clock is ahead of the one that is decided by: as a rule the same. Holds run out by the store's. */
  storeAheadMs(): number;
  /** What a commit said of accounts. */
  heard(balances: readonly Balance[]): void;
  /** A decision was recorded, and what its commit said of accounts. */
  recorded(judged: Judged, balances: readonly Balance[] | undefined): void;
  /** What a report is settled by beside what was held for its call. */
  readonly unheld: ReturnType<typeof createUnheld>;
  /** Why a call that the commit did not let in is denied; undefined where it is only asked again. */
  short(
    snapshot: Snapshot,
    holding: Holding | undefined,
    shorts: readonly Short[],
    nowMs: number,
    isLast: boolean,
  ): Shortage | undefined;
}

/** What of a call says which budgets cover it. `input` is what runs. */
export function coveredCall(snapshot: Snapshot, { session }: Asker, ask: Ask, input: JsonObject): CoveredCall {
  return {
    tool: ask.tool,
    input,
    principal: session.principal.id,
    session,
    ancestors: session.ancestors,
    ...(ask.mark && { mark: ask.mark }),
    teamOf: (agent) => snapshot.agents.get(agent)?.spec.labels?.team,
  };
}

const soft = (cover: Cover): Cover => ({ ...cover, hard: false });

/**
 * Everything that covers a call, the narrowest first: what its chain was given, then budgets. `input` is what runs. Of more
 * than a call may be charged to not all have their keys.
 */
export function coversOf(
  snapshot: Snapshot,
  asker: Asker,
  ask: Ask,
  input: JsonObject,
  given: GivenAccounts | undefined,
): readonly Cover[] {
  const declared = coveringOf(snapshot).of(coveredCall(snapshot, asker, ask, input), limits.callAccountsMax);
  return given ? [...given.covers, ...declared] : declared;
}

const OWES_NOTHING: Owing = { dues: [], spared: [] };

/** What its entry says of what covers a call in units in which its tool costs nothing; nothing of most calls. */
function sparedBy(
  { budgets }: Snapshot,
  spared: Owing["spared"],
  given: GivenAccounts | undefined,
): Pick<Holding, "spared"> | undefined {
  if (spared.length === 0) return undefined;
  return {
    spared: spared.map((cover): SparedAccount => {
      const own = given?.of(cover);
      if (own) return { ...cover, account: own.id };
      const declared = budgets.get(cover.budget);
      return declared ? { ...cover, series: seriesOf(declared.document) } : cover;
    }),
  };
}

/** What a call owes; of one that is only watched also why it would not be let in. */
function owedBy(
  { snapshot, asker, ask, judged }: Asked,
  given: GivenAccounts | undefined,
): Owing & { readonly shortage: Shortage | undefined } {
  const { verdict } = judged;
  const input = (verdict.transformedInput as JsonObject | undefined) ?? ask.input.value;
  const covers = coversOf(snapshot, asker, ask, input, given);
  if (covers.length > limits.callAccountsMax) return { ...OWES_NOTHING, shortage: coveredByMany(covers) };
  const priced = pricedCall(snapshot, ask, input);
  const found = duesOf(covers, priced, snapshot.settings.unbudgeted);
  if ("dues" in found) return { ...found, shortage: undefined };
  const shortage = unchargeable(found);
  if (verdict.mode !== "observed") return { ...OWES_NOTHING, shortage };
  const watched = duesOf(covers.map(soft), priced, "allow");
  return { ...("dues" in watched ? watched : OWES_NOTHING), shortage };
}

/** Why accounts would not let in what is owed, by what is known of them here. */
export function wouldRefuse(owed: Holding["owed"]): Short[] {
  return owed.flatMap(({ micros, account: { id, hard, balance } }) => {
    const why = refuses({ ...balance, hard }, micros);
    return why ? [{ account: id, why, balance }] : [];
  });
}

const holdsNothing = (before: Holding["before"]): Holding => ({ owed: [], before, watched: false, storeAheadMs: 0 });

/** The denial of a call that is not let in: what the attempt before it held is given back. */
function refused({ judged, attempt }: Asked, why: Shortage): Charged {
  const verdict = refusedFor(why, judged.verdict);
  return {
    judged: { ...judged, verdict, ...(why.spending && { spending: why.spending }) },
    holding: attempt.held && holdsNothing(attempt.held),
  };
}

type Stops = ReturnType<typeof createSpendingStops>;

/** A call that is only watched, and why its accounts would not let it in. */
function watchedAs(
  { snapshot, judged }: Asked,
  holding: Holding,
  shortage: Shortage | undefined,
  nowMs: number,
  stops: Stops,
): Judged {
  const { shorts, stop } = stops.among(snapshot, holding, shortage ? [] : wouldRefuse(holding.owed));
  // Nothing was asked that could be in anybody's way.
  const those = shorts.filter(({ why }) => why !== "crowded");
  const why = shortage ?? (those.length > 0 ? shortageOf(holding, those, nowMs, true, stop) : undefined);
  if (!why) return judged;
  const verdict = watchedFor(why, judged.verdict);
  return { ...judged, verdict, ...(why.spending && verdict !== judged.verdict && { spending: why.spending }) };
}

/** What is owed, with the accounts that were found for it. */
function withAccounts(
  asked: Asked,
  dues: readonly Due[],
  accounts: readonly (Account | null)[],
  shortage: Shortage | undefined,
  spared: Pick<Holding, "spared"> | undefined,
  nowMs: number,
  storeAheadMs: number,
  stops: Stops,
): Charged | typeof UNDECLARED {
  const { judged, attempt } = asked;
  const watched = judged.verdict.mode === "observed";
  const owed: (Due & { readonly account: Account })[] = [];
  let full: Shortage | undefined;
  for (const [at, due] of dues.entries()) {
    const account = accounts[at];
    if (!account) return UNDECLARED;
    if (account.full) full ??= keepsNoMore(due);
    else owed.push({ ...due, account });
  }
  if (full && !watched) return refused(asked, full);
  const holding: Holding = { owed, before: attempt.held, watched, storeAheadMs, ...spared };
  return { judged: watched ? watchedAs(asked, holding, shortage ?? full, nowMs, stops) : judged, holding };
}

export function createCharging(rooms: {
  readonly budgets: Budgets;
  readonly clock: Clock;
  readonly storeClock: Clock;
}): Charging {
  const { budgets, clock, storeClock } = rooms;
  const stops = createSpendingStops(budgets.forget);
  const storeAheadMs = () => (clock === storeClock ? 0 : storeClock.now() - clock.now());
  return {
    concerns: ({ budgets: declared, settings }, { held }, session) =>
      declared.size > 0 || held !== undefined || settings.unbudgeted === "deny" || givenAccounts(session) !== undefined,
    charge(asked, short) {
      const { snapshot, judged, attempt, asker } = asked;
      const before = attempt.held;
      const nothing = holdsNothing(before);
      const { effect, mode } = judged.verdict;
      if (effect === "deny" || effect === "clarify") return before && { judged, holding: nothing };
      if (short && mode !== "observed") return refused(asked, short);
      const given = givenAccounts(asker.session);
      const { dues, spared, shortage } = owedBy(asked, given);
      if (shortage && mode !== "observed") return refused(asked, shortage);
      // What was given is known with its session; the accounts of budgets are looked up.
      const besides = sparedBy(snapshot, spared, given);
      const declared = given ? dues.filter((due) => !given.of(due)) : dues;
      const finish = (found: readonly (Account | null)[]) => {
        const rest = given && found.values();
        const accounts = rest ? dues.map((due) => given.of(due) ?? rest.next().value ?? null) : found;
        const charged = (all: typeof accounts) =>
          withAccounts(asked, dues, all, shortage, besides, clock.now(), storeAheadMs(), stops);
        const now = mode === "observed" && standingNow(budgets, snapshot.tenant, accounts, asked.withinMs);
        return now ? now.then(charged) : charged(accounts);
      };
      if (dues.length === 0) {
        const verdict = shortage ? watchedFor(shortage, judged.verdict) : judged.verdict;
        const holding = before || besides ? { ...nothing, ...besides } : undefined;
        return holding || shortage ? { judged: { ...judged, verdict }, holding } : undefined;
      }
      const accounts = declared.length === 0 ? [] : budgets.accounts(snapshot.tenant, declared, asked.withinMs);
      if (accounts instanceof Promise) return accounts.then(finish);
      const charged = finish(accounts);
      return charged === UNDECLARED ? Promise.resolve(charged) : charged;
    },
    storeAheadMs,
    heard: budgets.heard,
    unheld: createUnheld(budgets),
    recorded({ spending }, balances) {
      if (balances) budgets.heard(balances);
      if (spending) stops.recorded(spending);
    },
    short(snapshot, holding, shorts, nowMs, isLast) {
      assert(holding, "what owes nothing lacks nothing");
      for (const { account, why, balance } of shorts) {
        if (balance) budgets.heard([balance]);
        if (why === "closed") budgets.forget(account);
      }
      const { shorts: known, stop } = stops.among(snapshot, holding, shorts);
      return shortageOf(holding, known, nowMs, isLast, stop);
    },
  };
}
