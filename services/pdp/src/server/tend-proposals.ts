import type { Pool } from "pg";
import type { Config } from "../config/index.ts";
import type { Proposals } from "../decisions/index.ts";
import type { Log } from "../foundation/log.ts";
import { tenantsOfOne } from "../stores/proposals.ts";

const EXPIRE_EVERY_MS = 60_000;
/** Tenants named in one line of the log. */
const NAMED_MAX = 5;

interface Options {
  readonly pool: Pool;
  readonly proposals: Proposals;
  readonly config: Pick<Config, "mode">;
  readonly log: Log;
}

/** Says, in production, in which tenants one person alone can widen authority. */
async function warnOfOne({ pool, config, log }: Options): Promise<void> {
  if (config.mode !== "production") return;
  const tenants = await tenantsOfOne(pool, NAMED_MAX + 1);
  if (tenants.length === 0) return;
  const named = tenants.slice(0, NAMED_MAX);
  const fix = "an owner of each: remit tenants set --people 2";
  log.warn({ tenants: named, more: tenants.length > NAMED_MAX, fix }, "one person alone can widen what agents may do");
}

/** Ends proposals that nobody approved in time: now, and every minute. Answers how to stop. */
export async function tendProposals(options: Options): Promise<() => void> {
  const { proposals, log } = options;
  const expire = () =>
    proposals.expire().catch((error: unknown) => {
      log.warn({ error }, "proposals whose time ran out could not be ended; they will be in a minute");
    });
  await warnOfOne(options);
  await expire();
  const timer = setInterval(expire, EXPIRE_EVERY_MS).unref();
  return () => clearInterval(timer);
}
