import type { Log } from "../foundation/log.ts";
import type { PolicyStore, Snapshots } from "../policies/index.ts";

/** A start waits no longer than this for tenants' policies; the rest are loaded while others are answered. */
const WAIT_MS_MAX = 10_000;

interface Rooms {
  readonly policies: Pick<PolicyStore, "tenantsInUse">;
  readonly snapshots: Pick<Snapshots, "current">;
  readonly log: Log;
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
 * cannot be loaded is loaded by its first call, as are those that nobody uses now. Answers how to stop.
 */
export async function warm({ policies, snapshots, log, patience = systemPatience }: Rooms): Promise<() => void> {
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
