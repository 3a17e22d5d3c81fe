import { warmUp } from "@remit/engine";
import { warmUpDecisions } from "../decisions/index.ts";
import type { Log } from "../foundation/log.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { warmUpTokens } from "../identities/index.ts";
import type { PolicyStore, Snapshots } from "../policies/index.ts";
import type { Reader } from "../reading/index.ts";
import { warmUpCommits } from "../stores/warm-up.ts";
import { warmUpRequests } from "../wire/index.ts";

/** A start waits no longer than this for tenants' policies; the rest are loaded while others are answered. */
const WAIT_MS_MAX = 10_000;

/** What judging documents and calls of its own may hold the thread for at a start, all slices together. */
const BUSY_MS_MAX = 1_000;

/** Has the machine compiled what reads, compiles and judges: the first large call would hold the thread for longer than later ones. */
async function warmEngine(log: Log): Promise<void> {
  try {
    const { rounds, busyMs } = await warmUp(turnOfTheLoop, { busyMsMax: BUSY_MS_MAX });
    await warmUpRequests(turnOfTheLoop);
    await warmUpDecisions(turnOfTheLoop);
    await warmUpCommits(turnOfTheLoop);
    await warmUpTokens(Date.now(), turnOfTheLoop);
    log.info({ rounds, busyMs: Math.round(busyMs) }, "the engine is warm");
  } catch (error) {
    log.warn({ error }, "the engine could not be warmed up; it grows warm in use");
  }
}

interface Rooms {
  readonly policies: Pick<PolicyStore, "tenantsInUse">;
  readonly snapshots: Pick<Snapshots, "current">;
  readonly log: Log;
  readonly reader: Pick<Reader, "stay">;
  /** Whether the engine is made warm first, and a thread that reads documents kept. */
  readonly engine?: boolean;
  /** Resolves when a start has waited long enough; answers how to stop waiting. */
  readonly patience?: () => { readonly over: Promise<void>; readonly stop: () => void };
}

function systemPatience() {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, WAIT_MS_MAX);
  return { over, stop: () => clearTimeout(timer) };
}

/**
 * Loads the tenants that have living sessions before anybody is let in: the first calls after a restart would wait for
 * all of a tenant's policies to compile, longer than an SDK waits for a decision. One tenant after another; one that
 * cannot be loaded is loaded by its first call, as are those that nobody uses now. Before, where that is asked for, the
 * engine is made warm, and a thread for documents started. Answers how to stop.
 */
export async function warm({
  policies,
  snapshots,
  reader,
  log,
  engine = false,
  patience = systemPatience,
}: Rooms): Promise<() => void> {
  if (engine) {
    reader.stay();
    await warmEngine(log);
  }
  let stopped = false;
  const load = async () => {
    for (const tenant of await policies.tenantsInUse()) {
      if (stopped) return;
      try {
        await snapshots.current(tenant);
      } catch (error) {
        log.warn({ tenant, error }, "the tenant could not be loaded at the start; its first call will try again");
      }
    }
  };
  const { over, stop } = patience();
  const loaded = load().catch((error: unknown) => {
    log.warn({ error }, "the tenants in use could not be read at the start; each is loaded by its first call");
  });
  await Promise.race([loaded, over]);
  stop();
  return () => {
    stopped = true;
  };
}
