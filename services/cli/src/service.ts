import type { Clock, loadConfig, RunningPdp } from "@remit/pdp";
import { exitCodes, Stop } from "./stop.ts";

export type { RunningPdp } from "@remit/pdp";

/** Settings as `remit.yaml` spells them. */
export type ConfigInput = NonNullable<Parameters<typeof loadConfig>[0]["overrides"]>;

const ANY_PORT = "127.0.0.1:0";

/** Everything on ports that the system chooses. */
const anyPorts: ConfigInput = {
  httpAddress: ANY_PORT,
  grpcAddress: ANY_PORT,
  adminAddress: ANY_PORT,
  metricsAddress: ANY_PORT,
};

/** The service's own code is loaded when it is run here and not by commands that ask another process. */
export async function loadPdp(): Promise<typeof import("@remit/pdp")> {
  return await import("@remit/pdp");
}

/** Runs something that starts the service. What keeps it from starting is told as operators need it. */
export async function starting<Started>(start: () => Promise<Started>): Promise<Started> {
  const { Fault } = await loadPdp();
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Stop(exitCodes.unavailable, error.message, error.detail.fix, error);
  }
}

/**
 * A service of its own for as long as `use` runs: a temporary Postgres, ports that nobody else has, gone afterwards.
 * No configuration and no environment is read, so that it can never be somebody's running tenant.
 */
export async function withThrowAwayPdp<Result>(
  { clock, breakers = true }: { readonly clock?: Clock; readonly breakers?: boolean },
  use: (pdp: RunningPdp & { readonly ownerKey: string }) => Promise<Result>,
): Promise<Result> {
  const { loadConfig, startPdp } = await loadPdp();
  const loaded = loadConfig({ env: {}, overrides: { ...anyPorts, mode: "development" } });
  if (!loaded.ok) throw new Error(`a throw-away configuration has problems: ${loaded.problems[0]?.message}`);
  const { config } = loaded;
  const pdp = await starting(() => startPdp({ config, throwAway: true, breakers, ...(clock && { clock }) }));
  try {
    const { bootstrapKey: ownerKey } = pdp;
    if (ownerKey === undefined) throw new Error("a new service gave no owner key");
    return await use({ ...pdp, ownerKey });
  } finally {
    await pdp.close();
  }
}
