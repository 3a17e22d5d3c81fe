import { Fault } from "../foundation/fault.ts";

/** How old what is known of a tenant may be before its decisions are refused, by what the tool can do. */
export const STALE_WRITE_MS = 2_000;
const STALE_ANY_MS = 10_000;

/**
 * Whether what is known is too old to decide by. Tools known to do no more than read may be decided on somewhat older
 * policies; the rest may not: those of another risk, unclassified ones, and tools that nobody registered.
 */
export function tooStale(stalenessMs: number, risk: string | undefined): boolean {
  return stalenessMs > (risk === "read" ? STALE_ANY_MS : STALE_WRITE_MS);
}

/** The fault for policies that are too old to decide by. */
export function stalePolicy(stalenessMs: number): Fault {
  return new Fault("unavailable", "stale_policy", `the policies here are ${Math.round(stalenessMs)} ms old`, {
    limit: `${STALE_ANY_MS} ms for tools of risk read, ${STALE_WRITE_MS} ms for all others`,
    fix: "ask again; if it lasts, check that the service reaches its Postgres",
  });
}
