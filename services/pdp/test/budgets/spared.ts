import type { NewRecord } from "../../src/ledger/index.ts";
import { accountFaults } from "./call-accounts.ts";
import type { Given } from "./product.ts";
import { type Covering, callOf, microsOf, type Said } from "./said.ts";
import type { AccountRow } from "./store-model.ts";
import type { Truth } from "./truth.ts";

interface Options {
  readonly wrong: (what: string) => void;
  readonly truths: ReadonlyMap<string, Truth>;
  /** What was spent of an account for which nothing was held. */
  readonly spent: (account: bigint, micros: bigint) => void;
  readonly accountOf: (id: bigint) => AccountRow;
  readonly given: Given;
  /** A replica that has not heard of a budget charges it nothing. */
  readonly isWhole: () => boolean;
}

interface Story {
  readonly call: string;
  readonly effect: string | undefined;
  readonly covers: readonly Covering[];
  counted: boolean;
}

const isOf = ({ id, budget, key }: AccountRow, cover: Covering) =>
  cover.account === undefined ? cover.budget === budget && (cover.key ?? "") === key : cover.account === String(id);

/** What is watched of calls whose tool says that they cost nothing: what they cost all the same counts once, for all that covered them. */
export function createSpared({ wrong, truths, spent, accountOf, given, isWhole }: Options) {
  const stories = new Map<string, Story>();

  const overages = ({ charge }: NewRecord, covers: readonly Covering[]) =>
    (charge?.moves ?? []).filter(({ account }) => {
      const { unit } = accountOf(account);
      return covers.some((cover) => cover.unit === unit);
    });

  return {
    decided({ id }: NewRecord, said: Said): void {
      const { covered_by: covers, effect } = said;
      if (covers && covers.length > 0) stories.set(id, { call: callOf(said), effect, covers, counted: false });
    },
    /** Whether a decision is of such a call. */
    has: (decision: string) => stories.has(decision),
    reported(record: NewRecord, { decision = "", outcome, actual = [] }: Said): void {
      const story = stories.get(decision);
      if (!story || (outcome !== "succeeded" && outcome !== "failed")) return;
      const { call, effect, covers } = story;
      const charged = overages(record, covers).map(({ account }) => accountOf(account));
      const cost = actual.find(({ unit }) => unit === covers[0]?.unit);
      const micros = cost ? microsOf(cost.value) : 0n;
      if (micros === 0n) return;
      if (story.counted) wrong(`${call} counts twice for what covers it`);
      story.counted = true;
      for (const cover of covers) {
        const own = charged.filter((account) => isOf(account, cover));
        if (own.length > 1 || (own.length === 0 && isWhole()))
          wrong(`${call} is charged ${own.length} times to ${cover.budget}`);
        // What it should have, whatever it was charged.
        for (const { id } of own) spent(id, micros);
      }
      const truth = truths.get(call);
      if (truth && isWhole()) for (const fault of accountFaults(truth, effect, charged, given)) wrong(fault);
    },
    /** What was told of a call, and counts for nothing. */
    unsettled: ({ call, ran, costs, tool }: Truth): string[] => {
      const own = [...stories.values()].filter((story) => story.call === call);
      const cost = costs.get("EUR") ?? 0n;
      if (tool !== "free" || !ran || cost === 0n || own.length === 0 || !isWhole()) return [];
      return own.some(({ counted }) => counted) ? [] : [`${call} cost ${cost}, which counts for nothing`];
    },
  };
}
