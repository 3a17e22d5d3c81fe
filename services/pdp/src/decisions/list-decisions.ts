import type { Effect } from "@remit/engine";
import type { JsonObject } from "../foundation/canonical.ts";
import type { DecisionBody } from "./decision.ts";
import type { EntryRooms } from "./each-entry.ts";
import { fromLongBody } from "./replay.ts";
import { type Choose, type EntryPage, scanEntries } from "./scan-entries.ts";

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

export type ListDecisions = (tenant: string, query: DecisionQuery) => Promise<EntryPage>;

/** Whether a decision is one that was asked for. A body is decoded only if its text could fit. */
function chooser({ agent, tool, effect, would, rollout, differs = false }: DecisionQuery): Choose {
  const needles = [
    agent === undefined ? undefined : `"id":${JSON.stringify(agent)}`,
    tool === undefined ? undefined : `"tool":${JSON.stringify(tool)}`,
    effect === undefined ? undefined : `"effect":"${effect}"`,
    would === undefined ? undefined : `"effect":"${would}"`,
    rollout === undefined ? undefined : `"id":${JSON.stringify(rollout)}`,
    differs ? '"rollout":' : undefined,
  ].filter((needle) => needle !== undefined);
  if (needles.length === 0) return () => true;
  const fits = (said: JsonObject): boolean => {
    const body = said as unknown as DecisionBody & { agent: { id: string }; tool: string };
    return (
      (agent === undefined || body.agent.id === agent) &&
      (tool === undefined || body.tool === tool) &&
      (effect === undefined || body.effect === effect) &&
      (would === undefined || body.would?.effect === would) &&
      (rollout === undefined || body.rollout?.id === rollout) &&
      (!differs || body.rollout?.other !== undefined)
    );
  };
  return (record) => {
    // What it said is gone: it is listed where nothing is asked of what it said.
    if (record.erased) return false;
    const text = Buffer.from(record.body.buffer, record.body.byteOffset, record.body.byteLength);
    if (!needles.every((needle) => text.includes(needle))) return false;
    return fromLongBody(record, fits);
  };
}

/** Lists decisions page by page, the newest first. */
export function createListDecisions(rooms: EntryRooms): ListDecisions {
  return (tenant, query) => scanEntries(rooms, tenant, { ...query, kind: "decision" }, chooser(query));
}
