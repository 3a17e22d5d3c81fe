import { randomBytes } from "node:crypto";
import { aboutDecision, settlingKeyOf } from "../../src/decisions/expiry-entry.ts";
import type { Move, NewRecord } from "../../src/ledger/index.ts";
import { labelOf } from "./labels.ts";
import { MOVED } from "./product.ts";
import { type Mangle, protocol, type Rules } from "./rules.ts";
import { callOf, microsOf, SAME_CALL, type Said, saidBy } from "./said.ts";
import type { AccountRow, HoldRow, StoreState } from "./store-model.ts";
import { type StoreRules, storeRules } from "./store-rules.ts";

const store = (wrong: Partial<StoreRules>): Partial<Rules> => ({ store: { ...storeRules, ...wrong } });

/** Wrongs what the records of some kinds move. */
function moving(
  labels: readonly string[],
  wrong: (move: Move, state: StoreState, record: NewRecord) => Move,
): Partial<Rules> {
  const mangle: Mangle = (record, state) => {
    const { charge } = record;
    if (!charge || !labels.includes(labelOf(record))) return record;
    return { ...record, charge: { ...charge, moves: charge.moves.map((move) => wrong(move, state, record)) } };
  };
  return { mangle };
}

/** Forgets the key that makes records of a kind one. */
const keyless =
  (label: string): Mangle =>
  (record) =>
    labelOf(record) === label ? { ...record, key: randomBytes(16) } : record;

const outcomeOf = (record: NewRecord) => saidBy(record).outcome;
/** A report of what a call of `free` cost. */
const isSpared = (record: NewRecord) =>
  record.kind === "report" &&
  (record.charge?.moves ?? []).some(({ held, posted, overage }) => held === 0n && posted === 0n && overage > 0n) &&
  !saidBy(record).corrects;
const isHard = ({ accounts }: StoreState, { account }: Move) => accounts.get(account)?.hard ?? false;

const isGiven = (accounts: StoreState["accounts"], { account }: Move, session: string) => {
  const row = accounts.get(account);
  return row?.budget === null && row.key === session;
};

function withoutCharge(label: string): Mangle {
  return (record) => {
    if (labelOf(record) !== label) return record;
    const { charge, ...rest } = record;
    return rest;
  };
}

const keysOf = ({ key }: { readonly key: string }) => JSON.parse(key || "{}") as { readonly session?: string };

/** Charges a call to another account of the same budget, where there is one. */
const elsewhere =
  (from: (account: AccountRow, record: NewRecord) => boolean, to: (account: AccountRow) => boolean): Mangle =>
  (record, { accounts }) => {
    const { charge } = record;
    const other = [...accounts.values()].find(to);
    if (!charge || !other) return record;
    const moves = charge.moves.map((move) => {
      const account = accounts.get(move.account);
      return account && from(account, record) ? { ...move, account: other.id } : move;
    });
    return { ...record, charge: { ...charge, moves } };
  };

/** What an open hold has, given back. */
const given = ({ amounts }: HoldRow): Move[] =>
  [...amounts].map(([account, held]) => ({ account, held: -held, posted: 0n, overage: 0n }));

/**
 * Ways to get the protocol wrong. Each is switched on alone, and the simulation must notice; where the CHECK of the store
 * would notice first, it is switched off with it, so that what watches is what callers were answered and what they spent.
 */
export const variants: Readonly<Record<string, Partial<Rules>>> = {
  "expiry releases in a hard budget": moving(["expiry"], (move) => ({ ...move, posted: 0n })),
  "an escalate's expiry counts as spent": moving(["expiry"], (move, state) => ({
    ...move,
    posted: isHard(state, move) ? -move.held : 0n,
  })),
  "expiry keeps in a soft budget": moving(["expiry"], (move) => ({ ...move, posted: -move.held })),
  "read, then write without a lock": store({ admission: "read_then_write", check: "none" }),
  "read, then write, with the CHECK": store({ admission: "read_then_write" }),
  "running sums ignored": store({ sums: "each_alone", check: "none" }),
  "overage under the CHECK": store({ check: "overage_too" }),
  "overage not taken from what is free": store({ free: "with_overage" }),
  "what never fits counts against others": store({ sums: "running_with_what_never_fits" }),
  "overage not counted": moving(["settlement", "correction"], (move) => ({ ...move, overage: 0n })),
  "hold adopted twice": { ...store({ holds: "not_whose" }), mangle: keyless("adoption") },
  "hold ended by who handed it over": store({ holds: "not_whose" }),
  "expired hold adopted": store({ holds: "not_whether_there" }),
  "hold ended by two records of one batch": store({ batchHolds: "any" }),
  "settled twice": { ...store({ holds: "not_asked", check: "none" }), mangle: keyless("settlement") },
  "corrected twice": { ...store({ check: "none" }), mangle: keyless("correction") },
  "moves of what was not inserted": store({ moves: "of_admitted", check: "none" }),
  "hold of the loser of a key kept": store({ holdRows: "of_admitted" }),
  "lost acknowledgement retried blindly": { fence: "does_nothing", lookUp: "finds_nothing" },
  "lost acknowledgement read without a fence": { fence: "does_nothing" },
  "lost acknowledgement taken as not recorded": { lost: "not_recorded" },
  "fence that waits for no statement": { fence: "does_not_wait" },
  "commit of a writer that was shut out": { statement: "does_not_ask" },
  "lost acknowledgement read as it was before the fence": { lookUp: "reads_what_was_there_before_the_fence" },
  "fewer rows than were sent taken for a fence": { fewer: "fenced" },
  "fewer rows than were sent taken for all": { fewer: "all_there" },
  "numbers go on from what was sent": { numbers: "as_many_as_were_sent" },
  "what was judged before a suspension recorded after it": store({ revisions: "not_asked" }),
  "hold that was given more time runs out": store({ overdue: "not_asked" }),
  "window by a replica's clock": store({ windows: "not_asked" }),
  "lowered limit ignored while held": store({ limits: "as_they_were" }),
  "freeze ignored": store({ freezes: "not_asked" }),
  "denial recorded, its hold kept": { mangle: withoutCharge("denial") },
  "failed report releases what was spent": moving(["settlement", "correction"], (move, _state, record) =>
    outcomeOf(record) === "failed" ? { ...move, posted: 0n, overage: 0n } : move,
  ),
  "partial actual not returned": moving(["settlement"], (move, _state, record) =>
    outcomeOf(record) === "succeeded" ? { ...move, posted: -move.held } : move,
  ),
  "not executed counts as spent": moving(["settlement"], (move, _state, record) =>
    outcomeOf(record) === "not_executed" ? { ...move, posted: -move.held } : move,
  ),
  "adoption holds a second time": moving(["adoption"], (move) => ({ ...move, held: move.held + 1_000_000n })),
  "delegation not charged above it": {
    mangle: (record, { accounts }) => {
      const { charge, session } = record;
      if (!charge || session !== "grandchild") return record;
      return {
        ...record,
        charge: { ...charge, moves: charge.moves.filter((move) => !isGiven(accounts, move, "child")) },
      };
    },
  },
  "session's budget charged for the asking session alone": {
    mangle: (record, { accounts }) => {
      const { charge, session } = record;
      if (!charge) return record;
      const isAbove = (account: AccountRow | undefined) =>
        account?.budget === "run" && keysOf(account).session !== session;
      return {
        ...record,
        charge: { ...charge, moves: charge.moves.filter((move) => !isAbove(accounts.get(move.account))) },
      };
    },
  },
  "keyed budget charged to one account for all": {
    mangle: elsewhere(
      ({ budget }) => budget === "shop",
      ({ budget }) => budget === "shop",
    ),
  },
  "charged by what was asked and not by what runs": {
    mangle: elsewhere(
      ({ budget }, record) => budget === "shop" && saidBy(record).effect === "transform",
      ({ budget, key }) => budget === "shop" && key.includes(MOVED.from),
    ),
  },
  "operator's word that it was spent posts nothing": moving(["resolution"], (move) => ({ ...move, posted: 0n })),
  "operator's word that it was not spent is not heard": moving(["resolution"], (move) => ({
    ...move,
    posted: -move.held,
  })),
  "call of a business key held for under each of its ids": {
    mangle: (record) =>
      saidBy(record).call?.id.endsWith(SAME_CALL) && record.kind === "decision"
        ? { ...record, key: randomBytes(16) }
        : record,
  },
  "what nobody knows settles a call": {
    mangle: (record, { holds }) => {
      const { outcome, decision } = saidBy(record);
      const hold = [...holds.values()].find((one) => one.decision === decision);
      if (outcome !== "unknown" || decision === undefined || !hold) return record;
      return { ...record, charge: { moves: given(hold), hold: { step: "end", hold: hold.id, decision } } };
    },
  },
  "hold of what an older build settled never ends": {
    mangle: (record) => {
      const { decision } = saidBy(record);
      return record.kind === "expiry" && decision ? { ...record, key: settlingKeyOf(decision) } : record;
    },
  },
  "alarm compared with an account as it was": store({ alarms: "read_before" }),
  "alarms ask nobody": store({ alarms: "not_asked" }),
  "cost of what costs nothing charged to the wrong account": {
    mangle: (record, state) =>
      isSpared(record)
        ? elsewhere(
            ({ budget }) => budget === "shop",
            ({ budget, key }) => budget === "shop" && key.includes(MOVED.to),
          )(record, state)
        : record,
  },
  "cost of what costs nothing charged twice": moving(["settlement", "correction"], (move, _state, record) =>
    isSpared(record) && move.held === 0n ? { ...move, overage: move.overage * 2n } : move,
  ),
  "cost of what costs nothing counts for nothing": moving(["settlement", "correction"], (move, _state, record) =>
    isSpared(record) && move.held === 0n ? { ...move, overage: 0n } : move,
  ),
  "what is only watched is held": {
    mangle: (record) => {
      const owed = saidBy(record).would_hold;
      if (record.charge || !owed) return record;
      const moves = owed.map(({ account, amount }) => ({
        ...{ account: BigInt(account), held: microsOf(amount), posted: 0n, overage: 0n },
      }));
      return { ...record, charge: { moves, hold: { step: "take", expiresAtMs: 0, pending: false } } };
    },
  },
  "what is only watched counts as held and spent": moving(["watched report"], (move) => ({
    ...move,
    posted: move.overage,
    overage: 0n,
  })),
  "what is only watched counts for nothing": { mangle: withoutCharge("watched report") },
  "report by a call's id is about its latest attempt": {
    mangle: (record, { records }) => {
      const { call_id } = saidBy(record);
      if (labelOf(record) !== "watched report" || call_id === undefined) return record;
      const isOfCall = (said: Said) => said.would_hold !== undefined && callOf(said) === call_id;
      const last = [...records.values()].findLast((row) => isOfCall(saidBy(row.record)))?.record.id;
      if (last === undefined) return record;
      const body = Buffer.from(JSON.stringify({ ...saidBy(record), decision: last }));
      return { ...record, subject: last, key: settlingKeyOf(last), request: aboutDecision(last), body };
    },
  },
  "what waited for people is kept where it is only watched": { mangle: withoutCharge("watched instead") },
  "overage beyond what is tolerated freezes nothing": {
    mangle: (record) => {
      if (record.charge?.freezes === undefined) return record;
      const { freezes: _, ...charge } = record.charge;
      return { ...record, charge };
    },
  },
  "overage of what had been given back freezes": {
    mangle: (record, state) => {
      const { charge } = record;
      const over = charge?.moves.find((move) => move.overage > 0n && isHard(state, move));
      if (!charge || !over || labelOf(record) !== "correction") return record;
      return { ...record, charge: { ...charge, freezes: over.account } };
    },
  },
  "extension ends the hold": {
    mangle: (record) => {
      const step = record.charge?.hold;
      if (!record.charge || step?.step !== "extend") return record;
      const { hold, decision } = step;
      return { ...record, charge: { ...record.charge, hold: { step: "end", hold, decision } } };
    },
  },
};

export const rulesOf = (variant: string | undefined): Rules => ({ ...protocol, ...(variant ? variants[variant] : {}) });
