import type { Pool } from "pg";
import {
  createDecide,
  createExpiring,
  createExplain,
  createRecentDecisions,
  createRedaction,
  createReport,
} from "../decisions/index.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import type { StoreClock } from "../foundation/store-time.ts";
import { systemTurnRoom } from "../foundation/turn-room.ts";
import type { Metrics } from "../telemetry/index.ts";
import { openBudgets } from "./budgets.ts";

type DecideRooms = Omit<Parameters<typeof createDecide>[0], "charging" | "budgetFacts" | "redaction">;

const telling = (log: Log) => (tenant: string, decision: string) =>
  log.error({ tenant, decision }, "what ran is not what was decided");

/** What calls and reports are answered by, and what ends holds that nobody reported on. */
export function openDeciding(
  rooms: DecideRooms & {
    readonly pool: Pool;
    readonly marks: Parameters<typeof createRedaction>[0];
    readonly storeClock: StoreClock;
    readonly log: Log;
    readonly metrics: Pick<Metrics, "reportedLate" | "holdExpired">;
    readonly crowdPause: Pause | undefined;
  },
) {
  const { pool, marks, clock, storeClock, log, metrics, crowdPause } = rooms;
  const books = openBudgets({ pool, clock, storeClock, crowdPause });
  const { budgetStore, charging, budgetFacts, lookingFacts, explainBudgets } = books;
  const turns = systemTurnRoom();
  const recent = createRecentDecisions(limits);
  const deciding = { ...rooms, turns, recent, redaction: createRedaction(marks, turns), charging, budgetFacts };
  return {
    turns,
    decide: createDecide(deciding),
    explain: createExplain({ ...deciding, budgetFacts: lookingFacts, explainBudgets, snapshots: rooms.snapshots }),
    report: createReport({ ...deciding, onMismatch: telling(log), onLate: metrics.reportedLate }),
    expireHolds: createExpiring({ ...deciding, store: budgetStore, onExpired: metrics.holdExpired }),
  };
}
