import type { NewRecord } from "../../src/ledger/index.ts";
import { accountFaults } from "./call-accounts.ts";
import type { Given } from "./product.ts";
import { callOf, microsOf, type Said } from "./said.ts";
import type { AccountRow } from "./store-model.ts";
import type { Truth } from "./truth.ts";

interface Options {
  readonly wrong: (what: string) => void;
  readonly truths: ReadonlyMap<string, Truth>;
  /** What an account should have, held, posted and overage together: what is reported of watched calls is added. */
  readonly dues: Map<bigint, bigint>;
  readonly accountOf: (id: bigint) => AccountRow;
  readonly given: Given;
}

/** A decision of a call that is only watched. */
interface Story {
  readonly call: string;
  /** What would be held, by account. */
  readonly owed: ReadonlyMap<bigint, bigint>;
  /** What was reported of it. */
  due: ReadonlyMap<bigint, bigint> | undefined;
}

/** What is watched of calls that are only watched: nothing is held for them, and what they cost counts once it is told. */
export function createWatching({ wrong, truths, dues, accountOf, given }: Options) {
  const stories = new Map<string, Story>();
  const spent = new Map<bigint, bigint>();
  let unseen: (readonly [account: bigint, micros: bigint])[] = [];
  const add = (sums: Map<bigint, bigint>, [account, micros]: readonly [bigint, bigint]) =>
    void sums.set(account, (sums.get(account) ?? 0n) + micros);

  return {
    /** Whether a decision is of a call that is only watched, and its report will count. */
    has: (decision: string) => stories.has(decision),
    /** A build that knows nothing of this took its report. */
    forget: (decision: string) => void stories.delete(decision),
    /** What watched calls have spent of an account by the commits before this one: what a commit lets in it may not see. */
    spent: (account: bigint) => spent.get(account) ?? 0n,
    /** Something was spent of an account that nothing was held for. */
    spend(account: bigint, micros: bigint): void {
      add(dues, [account, micros]);
      unseen.push([account, micros]);
    },
    /** Another commit begins. */
    next(): void {
      for (const one of unseen) add(spent, one);
      unseen = [];
    },
    decided({ id, charge }: NewRecord, said: Said): void {
      const { mode, effect, would_hold: amounts = [] } = said;
      const call = callOf(said);
      if (mode !== "observed") return;
      if (charge?.moves.some(({ held }) => held > 0n)) wrong(`${call} is only watched, and something is held for it`);
      if (amounts.length === 0) return;
      const owed = new Map(amounts.map(({ account, amount }) => [BigInt(account), microsOf(amount)]));
      stories.set(id, { call, owed, due: undefined });
      const truth = truths.get(call);
      if (!truth || truth.tool === "free") return;
      for (const fault of accountFaults(truth, effect, [...owed.keys()].map(accountOf), given)) wrong(fault);
    },
    reported({ decision = "", outcome, actual = [] }: Said): void {
      const story = stories.get(decision);
      if (!story) {
        wrong(`${decision} is posted as what was only watched, and was not`);
        return;
      }
      if (story.due) wrong(`${story.call} was only watched, and counts twice`);
      const due = [...story.owed].map(([account, micros]) => {
        const said = actual.find(({ unit }) => unit === accountOf(account).unit);
        const nothing = outcome === "failed" && actual.length === 0;
        return [account, said ? microsOf(said.value) : nothing ? 0n : micros] as const;
      });
      story.due = new Map(due);
      for (const one of due) add(dues, one);
      unseen.push(...due);
    },
    /** Whether anything of a call is only watched. */
    hasCall: (call: string) => [...stories.values()].some((story) => story.call === call),
    /** What was told of a call by its id, and counts otherwise: once, whichever of its decisions that is about. */
    unsettledCall({ call, ran, costs }: Truth): string[] {
      const told = [...stories.values()].filter((story) => story.call === call && story.due);
      if (told.length > 1) return [`${call} was told of by its id, and counts ${told.length} times`];
      return told.flatMap(({ owed, due }) =>
        [...owed].flatMap(([account, micros]) => {
          const { budget, key, unit } = accountOf(account);
          const cost = ran ? (costs.get(unit) ?? micros) : 0n;
          const counted = due?.get(account) ?? 0n;
          return cost === counted ? [] : [`${call} cost ${cost} of ${budget ?? key}, which counts ${counted}`];
        }),
      );
    },
    /** What was told of a decision, and counts otherwise. */
    unsettled(decision: string, truth: Truth): string[] {
      const story = stories.get(decision);
      return [...(story?.owed ?? [])].flatMap(([account, micros]) => {
        const { budget, key, unit } = accountOf(account);
        const cost = truth.ran ? (truth.costs.get(unit) ?? micros) : 0n;
        const counted = story?.due?.get(account) ?? 0n;
        return cost === counted ? [] : [`${truth.call} cost ${cost} of ${budget ?? key}, which counts ${counted}`];
      });
    },
  };
}
