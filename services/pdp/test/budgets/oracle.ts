import type { Charge, NewRecord } from "../../src/ledger/index.ts";
import type { Told } from "./front.ts";
import { DECLARED, type Given, SESSIONS } from "./product.ts";
import type { AccountRow, Committed, Place, StoreState } from "./store-model.ts";

/** What really happens with a call, which its caller alone knows. */
export interface Truth {
  readonly call: string;
  readonly session: string;
  readonly shop: string;
  /** What it costs when it runs, by unit, in millionths. */
  readonly costs: ReadonlyMap<string, bigint>;
  ran: boolean;
  /** It never will run, or run any further. */
  over: boolean;
  /** That it cost more than was held has been acknowledged. */
  toldOverage: boolean;
}

/** What a caller reports. */
export interface Debt {
  readonly told: Told;
  readonly truth: Truth;
  /** Somebody has acknowledged it. */
  paid: boolean;
}

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
  /** What an account should have of it, held, posted and overage together. */
  due: Map<bigint, bigint>;
}

interface Body {
  readonly effect?: string;
  readonly call?: { readonly id: string };
  readonly outcome?: string;
  readonly decision?: string;
  /** What an operator said of a hold. */
  readonly as?: "spent" | "released";
  readonly actual?: readonly { readonly unit: string; readonly value: string }[];
}

/** Watches every commit, and knows nothing of how accounts are kept: only what is recorded, told, and truly spent. */
export interface Oracle {
  readonly violations: string[];
  readonly truths: Map<string, Truth>;
  committed(batch: readonly NewRecord[], committed: Committed, place: Place): void;
  /** A caller was answered. */
  answered(call: string, decision: string, effect: string): void;
  /** Calls of which their callers told what they cost, and the books say something else. */
  unsettled(told: readonly Debt[]): string[];
}

const text = new TextDecoder();
const bodyOf = (record: NewRecord) => JSON.parse(text.decode(record.body)) as Body;
const microsOf = (value: string): bigint => {
  const [whole = "0", fraction = ""] = value.split(".");
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
};

export function createOracle(state: StoreState, given: Given): Oracle {
  const violations: string[] = [];
  const truths = new Map<string, Truth>();
  const stories = new Map<string, Story>();
  const byDecision = new Map<string, Story>();
  const dues = new Map<bigint, bigint>();
  /** Accounts that a record froze. */
  const frozen = new Set<bigint>();
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
  const reported = ({ held }: Story, { outcome, actual = [] }: Body): Map<bigint, bigint> =>
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
    return truth.toldOverage || spent < held ? spent : held;
  };

  /** What a call holds of a unit, whichever accounts that is written to. */
  const heldOf = ({ held }: Story, unit: string) =>
    [...held].find(([account]) => accountOf(account).unit === unit)?.[1] ?? 0n;

  /** Nobody below a session spends what the session may not, and every call is charged to the accounts that are its own. */
  const checkChain = (story: Story, holdsMore: boolean) => {
    const truth = truths.get(story.call);
    if (!truth) return;
    const chain = SESSIONS.slice(0, SESSIONS.indexOf(truth.session) + 1);
    for (const [session, { account, limit }] of given) {
      if (!chain.includes(session)) {
        if (story.held.has(account)) wrong(`${story.call} is held of ${session}, which it does not descend from`);
        continue;
      }
      if (!story.held.has(account)) wrong(`${story.call} is not held of ${session}, which it descends from`);
      if (!holdsMore) continue;
      const below = SESSIONS.slice(SESSIONS.indexOf(session));
      let sum = heldOf(story, "EUR");
      for (const other of stories.values()) {
        const isBelow = below.includes(truths.get(other.call)?.session ?? "");
        if (other !== story && isBelow) sum += exposure(other, "EUR", heldOf(other, "EUR"));
      }
      if (heldOf(story, "EUR") > 0n && sum > limit) {
        wrong(`below ${session} more than what it was given may be spent: ${sum} of ${limit}`);
      }
    }
    for (const account of story.held.keys()) {
      const { budget, key } = accountOf(account);
      const isKeyed = DECLARED.some(({ name, per }) => name === budget && per !== undefined);
      if (isKeyed && !key.includes(truth.shop))
        wrong(`${story.call} of ${truth.shop} is held of the account of ${key}`);
    }
  };

  const taken = (id: string, charge: Charge, body: Body, { nowMs }: Place) => {
    const held = new Map(charge.moves.map((move) => [move.account, move.held]));
    const pending = charge.hold?.step === "take" && charge.hold.pending;
    const allowed = body.effect === "allow" || body.effect === "transform";
    const call = body.call?.id ?? "";
    const story: Story = {
      ...{ id, call, takenAtMs: nowMs, decision: id, held, allowed, vouched: false, due: new Map() },
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
    checkChain(story, true);
    for (const [id_, micros] of held) {
      const account = accountOf(id_);
      const inWindow = account.opensAtMs <= nowMs && nowMs < account.closesAtMs;
      if (!inWindow) wrong(`${call} is held in a window that is not current`);
      const budget = state.budgets.get(`${account.tenant}/${account.budget}`);
      if (budget?.frozen || frozen.has(id_)) wrong(`${call} is held of a budget that is frozen`);
      if (!account.hard) continue;
      let sum = micros;
      for (const other of stories.values())
        if (other !== story) sum += exposure(other, account.unit, other.held.get(id_));
      if (micros > 0n && sum > limitOf(account))
        wrong(`more than the limit of ${account.budget ?? account.key} may be spent: ${sum} of ${limitOf(account)}`);
    }
  };

  const adopted = (id: string, hold: string, from: string, charge: Charge, body: Body) => {
    const story = stories.get(hold);
    const wasOpen = story?.state === "pending" || story?.state === "open";
    if (!story || !wasOpen || story.decision !== from)
      return wrong(`hold ${hold} is adopted although ${from} does not have it`);
    story.decision = id;
    byDecision.set(id, story);
    story.allowed = body.effect === "allow" || body.effect === "transform";
    story.state = charge.hold?.step === "adopt" && charge.hold.pending ? "pending" : "open";
    const held = new Map(story.held);
    for (const move of charge.moves) held.set(move.account, (held.get(move.account) ?? 0n) + move.held);
    for (const [account, micros] of held)
      if (micros === 0n && !charge.moves.some((move) => move.account === account && move.held === 0n))
        held.delete(account);
    story.held = held;
    setDue(story, new Map(held));
    checkChain(
      story,
      charge.moves.some((move) => move.held > 0n),
    );
  };

  /** An operator ended it: a report that comes later corrects that, as it would an expiry. */
  const resolved = (story: Story, as: "spent" | "released") => {
    if (as === "spent" && story.state === "pending") wrong(`hold ${story.id} is spent, and its call waits for people`);
    story.state = "expired";
    story.vouched = as === "released";
    setDue(story, as === "spent" ? new Map(story.held) : new Map());
  };

  const ended = (record: NewRecord, hold: string, body: Body) => {
    const story = stories.get(hold);
    if (!story || (story.state !== "open" && story.state !== "pending")) return wrong(`hold ${hold} is resolved twice`);
    if (record.kind === "report") {
      story.state = "settled";
      return setDue(story, reported(story, body));
    }
    if (body.as !== undefined) return resolved(story, body.as);
    const spent = [...story.held].map(([account, micros]) => [account, accountOf(account).hard ? micros : 0n] as const);
    const due = record.kind === "expiry" && story.state === "open" ? new Map(spent) : new Map<bigint, bigint>();
    story.state = record.kind === "expiry" ? "expired" : "released";
    setDue(story, due);
  };

  const corrected = (body: Body) => {
    const story = byDecision.get(body.decision ?? "");
    if (story?.state !== "expired")
      return wrong(`${body.decision} is corrected although its hold did not run out just once`);
    story.state = "corrected";
    setDue(story, reported(story, body));
  };

  const recorded = (record: NewRecord, place: Place) => {
    const { charge } = record;
    const body = bodyOf(record);
    if (record.kind === "decision") denied(body);
    if (!charge) return;
    const step = charge.hold;
    if (step?.step === "take") taken(record.id, charge, body, place);
    else if (step?.step === "adopt") adopted(record.id, step.hold, step.decision, charge, body);
    else if (step?.step === "end") ended(record, step.hold, body);
    else if (!step && record.kind === "report") corrected(body);
  };

  const denials = new Set<string>();
  const denied = (body: Body) => {
    if (body.effect === "deny" && body.call) denials.add(body.call.id);
    else if (body.call) denials.delete(body.call.id);
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

  return {
    violations,
    truths,
    unsettled: (debts) =>
      debts.flatMap(({ paid, truth, told: { outcome, subject } }) => {
        if (!paid || outcome === "running" || outcome === "unknown") return [];
        // Who gives a call up by its id says it of the attempt that was the last then: one of its asks may come later.
        const isOfAnother = ({ state }: Story) =>
          "callId" in subject && outcome === "not_executed" && state === "expired";
        const held = [...stories.values()].filter((story) => story.call === truth.call && !isOfAnother(story));
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
      const touched = new Set<bigint>();
      for (const record of batch) for (const { account } of record.charge?.moves ?? []) touched.add(account);
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
        for (const { account, why } of left?.why === "short" ? left.shorts : []) {
          const row = state.accounts.get(account);
          const micros = record.charge?.moves.find((move) => move.account === account)?.held ?? 0n;
          if (row && why === "exhausted" && (dues.get(account) ?? 0n) + micros <= limitOf(row)) {
            wrong(`account ${account} refused ${micros}, which fits`);
          }
        }
      }
    },
    answered: (call, decision, effect) => {
      const row = state.records.get(decision);
      if (!row) return wrong(`${call} was answered by ${decision}, which is not recorded`);
      const body = bodyOf(row.record);
      if (effect !== "allow" && effect !== "transform") return;
      if (body.effect !== effect) wrong(`${call} was allowed by what is recorded as ${body.effect}`);
      if (!byDecision.get(decision)) wrong(`${call} was allowed, and nothing was held for it`);
    },
  };
}
