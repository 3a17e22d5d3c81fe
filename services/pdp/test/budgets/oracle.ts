import type { Charge, NewRecord } from "../../src/ledger/index.ts";
import { accountFaults, chainOf } from "./call-accounts.ts";
import type { Answered } from "./front.ts";
import { type Given, SESSIONS, TOLERATED_PERCENT } from "./product.ts";
import { createRefusals } from "./refusals.ts";
import { callOf, microsOf, type Said, saidBy } from "./said.ts";
import { createSpared } from "./spared.ts";
import type { AccountRow, Committed, Place } from "./store-model.ts";
import type { Debt, Truth } from "./truth.ts";
import { createWatching } from "./watching.ts";
import type { World } from "./world-port.ts";

/** What became of a hold, as the records tell it. */
interface Story {
  readonly id: string;
  readonly call: string;
  readonly takenAtMs: number;
  decision: string;
  held: Map<bigint, bigint>;
  state: "open" | "pending" | "settled" | "expired" | "released" | "corrected";
  allowed: boolean;
  /** An operator said that nothing of it was spent: who may spend it all the same is for the operator to answer for. */
  vouched: boolean;
  /** Until when somebody may say what became of it. */
  endsAtMs: number;
  /** A build before budgets took its report: the hold stays, and runs out. */
  settledBefore: boolean;
  /** What an account should have of it, held, posted and overage together. */
  due: Map<bigint, bigint>;
}

type Adoption = Extract<Charge["hold"], { readonly step: "adopt" }>;

/** Watches every commit, and knows nothing of how accounts are kept: only what is recorded, told, and truly spent. */
export interface Oracle {
  readonly violations: string[];
  readonly truths: Map<string, Truth>;
  committed(batch: readonly NewRecord[], committed: Committed, place: Place): void;
  /** The suspension of the tenant that holds now; undefined where it may act. */
  suspension(): bigint | undefined;
  /** A caller was answered. `asOf`: the suspension when it asked. */
  answered(call: string, answered: Pick<Answered, "decision" | "effect">, asOf: bigint | undefined): void;
  /** Calls of which their callers told what they cost, and the books say something else. */
  unsettled(told: readonly Debt[]): string[];
}

const mayRun = ({ effect }: Said) => effect === "allow" || effect === "transform";

type Watched = Pick<World, "state" | "frozen" | "settledBefore" | "settings" | "security" | "deletions">;

export function createOracle(world: Watched, given: Given): Oracle {
  const { state, frozen } = world;
  const violations: string[] = [];
  const truths = new Map<string, Truth>();
  const stories = new Map<string, Story>();
  const byDecision = new Map<string, Story>();
  const dues = new Map<bigint, bigint>();
  const wrong = (what: string): void => void violations.push(what);

  /** Read here and not where the store reads it. */
  const limitOf = ({ tenant, budget, ownLimit }: AccountRow) =>
    ownLimit ?? state.budgets.get(`${tenant}/${budget}`)?.limit ?? 0n;
  const accountOf = (id: bigint) => state.accounts.get(id) as AccountRow;

  const setDue = (story: Story, due: Map<bigint, bigint>) => {
    for (const [account, micros] of story.due) dues.set(account, (dues.get(account) ?? 0n) - micros);
    for (const [account, micros] of due) dues.set(account, (dues.get(account) ?? 0n) + micros);
    story.due = due;
  };

  /** What a call has cost by its report, of each account that it held. */
  const reported = ({ held }: Story, { outcome, actual = [] }: Said): Map<bigint, bigint> =>
    new Map(
      [...held].map(([account, micros]) => {
        const said = actual.find(({ unit }) => unit === accountOf(account).unit);
        const released = outcome === "not_executed" || (outcome === "failed" && actual.length === 0);
        return [account, released ? 0n : said ? microsOf(said.value) : micros];
      }),
    );

  /** What a caller may have spent, may yet spend, or has told to have spent beyond its hold. */
  const exposure = (story: Story, unit: string, held: bigint | undefined): bigint => {
    const truth = truths.get(story.call);
    if (held === undefined || !truth || !story.allowed) return 0n;
    if (story.vouched && !truth.toldOverage) return 0n;
    if (!truth.ran) return truth.over ? 0n : held;
    const spent = truth.costs.get(unit) ?? held;
    if (story.settledBefore) return held;
    return truth.toldOverage || spent < held ? spent : held;
  };

  /** What a call holds of a unit, whichever accounts that is written to. */
  const heldOf = ({ held }: Story, unit: string) =>
    [...held].find(([account]) => accountOf(account).unit === unit)?.[1] ?? 0n;

  /** Nobody below a session spends what the session may not, and every call is charged to the accounts that are its own. */
  const checkChain = (story: Story, { effect }: Said, more: ReadonlySet<bigint>) => {
    const truth = truths.get(story.call);
    // What covers those of `free` is asked when it is charged.
    if (!truth || truth.tool === "free") return;
    for (const fault of accountFaults(truth, effect, [...story.held.keys()].map(accountOf), given)) wrong(fault);
    const needed = heldOf(story, "EUR");
    const chain = chainOf(truth.session);
    for (const [session, { account, limit }] of given) {
      if (needed === 0n || !chain.includes(session) || !more.has(account)) continue;
      const below = SESSIONS.slice(SESSIONS.indexOf(session));
      let sum = needed;
      for (const other of stories.values()) {
        const isBelow = below.includes(truths.get(other.call)?.session ?? "");
        if (other !== story && isBelow) sum += exposure(other, "EUR", heldOf(other, "EUR"));
      }
      if (sum > limit) wrong(`below ${session} more than what it was given may be spent: ${sum} of ${limit}`);
    }
  };

  /** More is held of an account: it is open, and there is room for it beside all that others may have spent. */
  const checkTaken = (story: Story, id: bigint, micros: bigint, nowMs: number) => {
    const account = accountOf(id);
    const { budget, opensAtMs, closesAtMs } = account;
    if (nowMs < opensAtMs || nowMs >= closesAtMs) wrong(`${story.call} is held in a window that is not current`);
    const isFrozen = frozen.has(id) || state.budgets.get(`${account.tenant}/${budget}`)?.frozen;
    if (isFrozen) wrong(`${story.call} is held of a budget that is frozen`);
    if (!account.hard || micros === 0n) return;
    let sum = micros + watching.spent(id);
    for (const other of stories.values()) {
      if (other !== story) sum += exposure(other, account.unit, other.held.get(id));
    }
    if (sum > limitOf(account)) {
      wrong(`more than the limit of ${budget ?? account.key} may be spent: ${sum} of ${limitOf(account)}`);
    }
  };

  const taken = (id: string, charge: Charge, body: Said, { nowMs }: Place) => {
    const held = new Map(charge.moves.map((move) => [move.account, move.held]));
    const step = charge.hold?.step === "take" ? charge.hold : undefined;
    const pending = step?.pending ?? false;
    const allowed = mayRun(body);
    const call = callOf(body);
    const story: Story = {
      ...{ id, call, takenAtMs: nowMs, decision: id, held, allowed, vouched: false, due: new Map() },
      ...{ endsAtMs: step?.expiresAtMs ?? 0, settledBefore: false },
      state: pending ? "pending" : "open",
    };
    if (allowed === pending) wrong(`hold ${id} waits for people although its call may run, or the other way round`);
    for (const other of stories.values()) {
      if (other.call === call && (other.state === "open" || other.state === "pending"))
        wrong(`${call} is held for twice`);
    }
    stories.set(id, story);
    byDecision.set(id, story);
    setDue(story, new Map(held));
    checkChain(story, body, new Set(held.keys()));
    for (const [account, micros] of held) checkTaken(story, account, micros, nowMs);
  };

  const adopted = (id: string, charge: Charge, step: Adoption, body: Said, nowMs: number) => {
    const { hold, decision: from } = step;
    const story = stories.get(hold);
    const wasOpen = story?.state === "pending" || story?.state === "open";
    if (!story || !wasOpen || story.decision !== from)
      return wrong(`hold ${hold} is adopted although ${from} does not have it`);
    story.decision = id;
    byDecision.set(id, story);
    story.allowed = mayRun(body);
    story.endsAtMs = step.expiresAtMs;
    story.state = step.pending ? "pending" : "open";
    const held = new Map(story.held);
    for (const move of charge.moves) held.set(move.account, (held.get(move.account) ?? 0n) + move.held);
    for (const [account, micros] of held)
      if (micros === 0n && !charge.moves.some((move) => move.account === account && move.held === 0n))
        held.delete(account);
    story.held = held;
    setDue(story, new Map(held));
    const more = new Set(charge.moves.filter((move) => move.held > 0n).map(({ account }) => account));
    checkChain(story, body, more);
    for (const { account, held: change } of charge.moves) {
      if (change >= 0n) checkTaken(story, account, more.has(account) ? (held.get(account) ?? 0n) : 0n, nowMs);
    }
  };

  /** An operator ended it: a report that comes later corrects that, as it would an expiry. */
  const resolved = (story: Story, as: "spent" | "released") => {
    if (as === "spent" && story.state === "pending") wrong(`hold ${story.id} is spent, and its call waits for people`);
    story.state = "expired";
    story.vouched = as === "released";
    setDue(story, as === "spent" ? new Map(story.held) : new Map());
  };

  /** The narrowest hard account of which much more was spent than was held is frozen, and no other. */
  const checkFreeze = (story: Story, said: Said, { freezes }: Charge) => {
    // A replica that has not heard of a budget takes it for none that binds.
    if (world.deletions() > 0) return;
    const isTolerant = truths.get(story.call)?.tool === "plain";
    const over = (said.settled ?? []).find(({ account }) => {
      const [id, row] = [BigInt(account), accountOf(BigInt(account))];
      const held = story.held.get(id) ?? 0n;
      const more = (story.due.get(id) ?? 0n) - held;
      return row.hard && more > 0n && more > (held * TOLERATED_PERCENT) / 100n;
    });
    const due = isTolerant && over ? BigInt(over.account) : undefined;
    if (due !== freezes) wrong(`the report of ${story.call} freezes account ${freezes}, and should freeze ${due}`);
  };

  const ended = (record: NewRecord, hold: string, body: Said, { nowMs }: Place) => {
    const story = stories.get(hold);
    if (!story || (story.state !== "open" && story.state !== "pending")) return wrong(`hold ${hold} is resolved twice`);
    if (record.kind === "report") {
      if (body.outcome === "unknown" || body.outcome === "running") wrong(`${body.outcome} ends the hold ${hold}`);
      story.state = "settled";
      setDue(story, reported(story, body));
      return checkFreeze(story, body, record.charge as Charge);
    }
    if (body.as !== undefined) return resolved(story, body.as);
    if (record.kind === "expiry" && nowMs < story.endsAtMs) wrong(`hold ${hold} runs out before its time`);
    const spent = [...story.held].map(([account, micros]) => [account, accountOf(account).hard ? micros : 0n] as const);
    const due = record.kind === "expiry" && story.state === "open" ? new Map(spent) : new Map<bigint, bigint>();
    story.state = record.kind === "expiry" ? "expired" : "released";
    setDue(story, due);
  };

  const corrected = (body: Said, charge: Charge) => {
    const story = byDecision.get(body.decision ?? "");
    if (story?.state !== "expired")
      return wrong(`${body.decision} is corrected although its hold did not run out just once`);
    story.state = "corrected";
    setDue(story, reported(story, body));
    checkFreeze(story, body, charge);
  };

  /** What takes nothing of a hold. */
  const beside = (record: NewRecord, body: Said) => {
    const { charge, kind } = record;
    if (kind === "decision") watching.decided(record, body);
    const story = byDecision.get(body.decision ?? "");
    if (world.settledBefore.has(record.id)) {
      if (story) story.settledBefore = true;
      else watching.forget(body.decision ?? "");
    }
    if (kind !== "report" || !charge) return;
    if (body.corrects) corrected(body, charge);
    else if (watching.has(body.decision ?? "") || !spared.has(body.decision ?? "")) watching.reported(body);
  };

  const recorded = (record: NewRecord, place: Place) => {
    const { charge } = record;
    const body = saidBy(record);
    if (record.kind === "decision") {
      denied(body);
      if (mayRun(body) && world.settings().suspended) wrong(`${callOf(body)} may run, and its tenant is suspended`);
    }
    if (record.kind === "decision") spared.decided(record, body);
    if (record.kind === "report" && charge) spared.reported(record, body);
    const step = charge?.hold;
    if (!step) return beside(record, body);
    if (step.step === "take") taken(record.id, charge, body, place);
    else if (step.step === "adopt") adopted(record.id, charge, step, body, place.nowMs);
    else if (step.step === "end") ended(record, step.hold, body, place);
    else extended(step.hold, step.expiresAtMs);
    if (body.mode === "observed") watching.decided(record, body);
  };
  const extended = (hold: string, expiresAtMs: number) => {
    const story = stories.get(hold);
    if (story) story.endsAtMs = expiresAtMs;
  };

  const denials = new Set<string>();
  const denied = (body: Said) => {
    if (body.effect === "deny") denials.add(callOf(body));
    else denials.delete(callOf(body));
  };

  const checkAccount = (account: AccountRow) => {
    const { id, held, posted, overage } = account;
    const sum = held + posted + overage;
    const due = dues.get(id) ?? 0n;
    if (sum !== due) wrong(`account ${id} has ${sum}, and should have ${due}`);
    if (account.hard && held + posted > account.ceiling) wrong(`account ${id} is above its ceiling`);
    let open = 0n;
    for (const hold of state.holds.values()) open += hold.amounts.get(id) ?? 0n;
    if (held !== open) wrong(`account ${id} holds ${held}, and its open holds ${open}`);
  };

  const { checkShort, checkAlarms } = createRefusals({ wrong, dues, accountOf, limitOf, state });
  const watching = createWatching({ wrong, truths, dues, accountOf, given });
  const spared = createSpared({
    ...{ wrong, truths, accountOf, given },
    spent: watching.spend,
    isWhole: () => world.deletions() === 0,
  });

  return {
    violations,
    truths,
    suspension: () => (world.settings().suspended ? world.security() : undefined),
    unsettled: (debts) =>
      debts.flatMap(({ paid, truth, told: { outcome, subject } }) => {
        if (!paid || outcome === "running" || outcome === "unknown") return [];
        if (!world.settledBefore.size) for (const fault of spared.unsettled(truth)) wrong(fault);
        if ("decisionId" in subject && watching.has(subject.decisionId)) {
          return watching.unsettled(subject.decisionId, truth);
        }
        if ("callId" in subject && watching.hasCall(truth.call)) return watching.unsettledCall(truth);
        // Who gives a call up by its id says it of the attempt that was the last then: one of its asks may come later.
        const isOfAnother = ({ state }: Story) =>
          "callId" in subject && outcome === "not_executed" && state === "expired";
        const held = [...stories.values()].filter(
          (story) => story.call === truth.call && !isOfAnother(story) && !story.settledBefore,
        );
        return held.flatMap(({ due, held: parts, allowed }) =>
          [...parts].flatMap(([account, micros]) => {
            const { budget, key, unit } = accountOf(account);
            const cost = truth.ran && allowed ? (truth.costs.get(unit) ?? micros) : 0n;
            const counted = due.get(account) ?? 0n;
            return cost === counted ? [] : [`${truth.call} cost ${cost} of ${budget ?? key}, which counts ${counted}`];
          }),
        );
      }),
    committed: (batch, committed, place) => {
      if (committed.failed !== undefined) return;
      watching.next();
      const touched = new Set<bigint>();
      for (const record of batch) for (const { account } of record.charge?.moves ?? []) touched.add(account);
      const before = new Map([...touched].map((account) => [account, dues.get(account) ?? 0n]));
      checkAlarms(batch, committed, before);
      for (const record of batch) if (committed.inserted.has(record.id)) recorded(record, place);
      for (const { id, charge } of batch) {
        if (charge?.freezes !== undefined && committed.inserted.has(id)) frozen.add(charge.freezes);
      }
      for (const id of touched) {
        const account = state.accounts.get(id);
        if (account) checkAccount(account);
      }
      for (const call of denials) {
        const kept = [...stories.values()].some((story) => story.call === call && story.state === "pending");
        if (kept) wrong(`${call} was denied, and its hold is kept`);
        denials.delete(call);
      }
      for (const record of batch) {
        const left = committed.left.get(record.id);
        for (const short of left?.why === "short" ? left.shorts : []) checkShort(record, batch, before, short);
      }
    },
    answered: (call, { decision, effect }, asOf) => {
      const row = state.records.get(decision);
      if (!row) return wrong(`${call} was answered by ${decision}, which is not recorded`);
      const body = saidBy(row.record);
      if (effect !== "allow" && effect !== "transform") return;
      if (asOf !== undefined && world.settings().suspended && world.security() === asOf) {
        wrong(`${call} was asked after its tenant had been suspended, and allowed`);
      }
      if (body.effect !== effect) wrong(`${call} was allowed by what is recorded as ${body.effect}`);
      const isHeld = byDecision.has(decision) || body.mode === "observed" || spared.has(decision);
      if (!isHeld) wrong(`${call} was allowed, and nothing was held for it`);
    },
  };
}
