import type { Pool } from "pg";
import { createBudgets } from "../budgets/index.ts";
import { createBudgetFacts, createCharging, createExplainBudgets } from "../decisions/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import { createBudgetStore } from "../stores/budgets.ts";
import { reading } from "../stores/reading.ts";

const EXPIRE_EVERY_MS = 1_000;

/** The room of budgets, and what asks it for money. Windows go by the store's clock, whatever time is played. */
export function openBudgets(rooms: {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly storeClock: Clock;
  readonly crowdPause: Pause | undefined;
}) {
  const { pool, clock, storeClock, crowdPause } = rooms;
  const uptime = { now: () => performance.now() };
  const store = reading(createBudgetStore(pool));
  const { budgetAccountsKeptMax: accountsMax } = limits;
  const budgets = createBudgets({ store, clock: storeClock, uptime, accountsMax, pause: crowdPause });
  return {
    budgetStore: store,
    budgetFacts: createBudgetFacts(budgets, crowdPause),
    // Who explains opens no account, and remembers none.
    lookingFacts: createBudgetFacts(
      { accounts: (tenant, names) => store.lookAt(tenant, names), known: () => undefined, fresh: () => undefined },
      crowdPause,
    ),
    explainBudgets: createExplainBudgets({ look: store }),
    charging: createCharging({ budgets, clock, storeClock }),
  };
}

/** Ends holds whose time is over, about every second. Answers how to stop. */
export function tendHolds(expire: () => Promise<number>, log: Log): () => void {
  let timer: NodeJS.Timeout;
  let stopped = false;
  const turn = async () => {
    await expire().catch((error: unknown) => {
      log.warn({ error }, "holds whose time is over could not be ended; they will be in a second");
    });
    if (!stopped) timer = setTimeout(turn, EXPIRE_EVERY_MS).unref();
  };
  timer = setTimeout(turn, EXPIRE_EVERY_MS).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
