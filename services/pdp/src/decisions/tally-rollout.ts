import type { Effect } from "@remit/engine";
import { leastUuidAt } from "../foundation/ids.ts";
import type { ListedRecord } from "../ledger/index.ts";
import type { RolloutInfo } from "../policies/index.ts";
import type { DecisionBody } from "./decision.ts";
import { type EntryRooms, eachEntry } from "./each-entry.ts";
import { fromLongBody } from "./replay.ts";

/** Decisions that both sides answer, and not the same. */
export interface Difference {
  /** What is in force answers this, and the tried versions that. */
  readonly from: Effect;
  readonly to: Effect;
  readonly fromCode: string;
  readonly toCode: string;
  readonly calls: number;
  /** The newest ones. */
  readonly decisionIds: readonly string[];
}

/** What a page of decisions says of a rollout. */
export interface TallyPage {
  readonly judged: number;
  readonly unjudged: number;
  readonly canary: number;
  readonly differences: readonly Difference[];
  /** Where the next page goes on; undefined when there is none. */
  readonly nextBeforeId: string | undefined;
}

export type TallyRollout = (tenant: string, rollout: RolloutInfo, beforeId: string | undefined) => Promise<TallyPage>;

const EXAMPLES_MAX = 5;
/** Ids of decisions go by replicas' clocks, the rollout's times by the store's. */
const SKEW_MS = 60_000;

function createTally(rolloutId: string) {
  const needle = `"id":${JSON.stringify(rolloutId)}`;
  const counts = { judged: 0, unjudged: 0, canary: 0 };
  const found = new Map<string, { -readonly [Key in keyof Difference]: Difference[Key] } & { decisionIds: string[] }>();
  const count = (decisionId: string, body: DecisionBody): void => {
    const { rollout, effect, reason, mode, would } = body;
    if (rollout?.id !== rolloutId) return;
    counts[rollout.judged ? "judged" : "unjudged"]++;
    const canary = rollout.side === "candidate";
    if (rollout.judged && canary) counts.canary++;
    if (!rollout.other) return;
    const own =
      mode === "observed" && would ? { effect: would.effect, code: would.reason.code } : { effect, code: reason.code };
    const [from, to] = canary ? [rollout.other, own] : [own, rollout.other];
    const key = `${from.effect} ${from.code} ${to.effect} ${to.code}`;
    const one = found.get(key) ?? {
      ...{ from: from.effect, to: to.effect, fromCode: from.code, toCode: to.code, calls: 0, decisionIds: [] },
    };
    one.calls++;
    if (one.decisionIds.length < EXAMPLES_MAX) one.decisionIds.push(decisionId);
    found.set(key, one);
  };
  const add = (record: ListedRecord): void | Promise<void> => {
    if (record.erased) return;
    const text = Buffer.from(record.body.buffer, record.body.byteOffset, record.body.byteLength);
    if (!text.includes(needle)) return;
    return fromLongBody(record, (body) => count(record.id, body as unknown as DecisionBody));
  };
  return { add, page: () => ({ ...counts, differences: [...found.values()] }) };
}

/** Counts from the ledger, the newest decisions first: a page looks at a bounded number of them. */
export function createTallyRollout(rooms: EntryRooms): TallyRollout {
  return async (tenant, { id, startedAtMs, ended }, before) => {
    const end = leastUuidAt(ended ? ended.atMs + SKEW_MS : Number.POSITIVE_INFINITY);
    const tally = createTally(id);
    let beforeId = before !== undefined && before < end ? before : end;
    const range = { fromId: leastUuidAt(startedAtMs - SKEW_MS), beforeId, session: undefined };
    const more = await eachEntry(rooms, tenant, range, (record) => {
      beforeId = record.id;
      const added = tally.add(record);
      return added instanceof Promise ? added.then(() => "go on") : "go on";
    });
    return { ...tally.page(), nextBeforeId: more ? beforeId : undefined };
  };
}
