import type { Effect } from "@remit/engine";
import { leastUuidAt } from "../foundation/ids.ts";
import { limits } from "../foundation/limits.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import type { DecisionBody } from "./decision.ts";
import { bodyOf } from "./replay.ts";

/** Which decisions are listed; what is undefined does not choose. */
export interface DecisionQuery {
  readonly sinceMs: number;
  /** Not included. */
  readonly untilMs: number;
  readonly agent: string | undefined;
  readonly tool: string | undefined;
  readonly effect: Effect | undefined;
  readonly would: Effect | undefined;
  readonly session: string | undefined;
  /** A rollout's id. */
  readonly rollout?: string | undefined;
  /** On which what is tried and what is in force differ. */
  readonly differs?: boolean;
  /** The last id of the page before. */
  readonly beforeId: string | undefined;
  readonly pageSize: number;
}

export interface DecisionPage {
  /** The newest first. */
  readonly records: readonly StoredRecord[];
  /** Where the next page goes on; undefined when there is none. */
  readonly nextBeforeId: string | undefined;
}

export type ListDecisions = (tenant: string, query: DecisionQuery) => Promise<DecisionPage>;

/** One read of the store: short, so that decisions are answered in between. */
const READ_RECORDS = 100;

/** Whether a decision is one that was asked for. A body is decoded only if its text could fit. */
function chooser({
  agent,
  tool,
  effect,
  would,
  rollout,
  differs = false,
}: DecisionQuery): (record: StoredRecord) => boolean {
  const needles = [
    agent === undefined ? undefined : `"id":${JSON.stringify(agent)}`,
    tool === undefined ? undefined : `"tool":${JSON.stringify(tool)}`,
    effect === undefined ? undefined : `"effect":"${effect}"`,
    would === undefined ? undefined : `"effect":"${would}"`,
    rollout === undefined ? undefined : `"id":${JSON.stringify(rollout)}`,
    differs ? '"rollout":' : undefined,
  ].filter((needle) => needle !== undefined);
  return (record) => {
    // What it said is gone: it is listed where nothing is asked of what it said.
    if (record.erased) return needles.length === 0;
    const text = Buffer.from(record.body.buffer, record.body.byteOffset, record.body.byteLength);
    if (!needles.every((needle) => text.includes(needle))) return false;
    const body = bodyOf(record) as unknown as DecisionBody & { agent: { id: string }; tool: string };
    return (
      (agent === undefined || body.agent.id === agent) &&
      (tool === undefined || body.tool === tool) &&
      (effect === undefined || body.effect === effect) &&
      (would === undefined || body.would?.effect === would) &&
      (rollout === undefined || body.rollout?.id === rollout) &&
      (!differs || body.rollout?.other !== undefined)
    );
  };
}

const bytesOf = ({ body, aside }: StoredRecord) => body.byteLength + (aside?.byteLength ?? 0);

/**
 * Lists decisions page by page, the newest first. Who acted and what was answered stand in the bodies alone, so a page
 * looks at a bounded number of decisions and may hold fewer than were asked for, or none, with more to come.
 */
export function createListDecisions({ ledger }: { readonly ledger: Ledger }): ListDecisions {
  return async (tenant, query) => {
    const chosen = chooser(query);
    const fromId = leastUuidAt(query.sinceMs);
    const records: StoredRecord[] = [];
    const end = leastUuidAt(query.untilMs);
    let beforeId = query.beforeId !== undefined && query.beforeId < end ? query.beforeId : end;
    let bytes = 0;
    for (let scanned = 0; scanned < limits.listScanRecordsMax; ) {
      const recordsMax = Math.min(READ_RECORDS, limits.listScanRecordsMax - scanned);
      const read = await ledger.listDecisions(tenant, { fromId, beforeId, session: query.session, recordsMax });
      for (const record of read) {
        if (chosen(record)) {
          bytes += bytesOf(record);
          if (records.length > 0 && bytes > limits.listPageBytesMax) return { records, nextBeforeId: beforeId };
          records.push(record);
        }
        beforeId = record.id;
        if (records.length === query.pageSize) return { records, nextBeforeId: beforeId };
      }
      if (read.length < recordsMax) return { records, nextBeforeId: undefined };
      scanned += read.length;
    }
    return { records, nextBeforeId: beforeId };
  };
}
