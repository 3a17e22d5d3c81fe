import { engineVersion } from "@remit/engine";
import type { Config } from "../config/index.ts";
import { Fault } from "../foundation/fault.ts";
import { nameEngine } from "../stores/engine.ts";
import type { CellNews } from "../stores/news-query.ts";

/** Which engine decides in the cell, as the last poll told. */
export interface EngineHeard {
  heard(cell: CellNews): void;
  /** The version that decides where this build has another; else undefined. */
  other(): string | undefined;
}

export function hearEngine(): EngineHeard {
  let decides: string | undefined;
  return {
    heard: ({ engine }) => {
      decides = engine;
    },
    other: () => (decides === engineVersion ? undefined : decides),
  };
}

/** Names the engine that decides from now on, as the role that owns the tables. Answers the one before, if one was named. */
export async function activateEngine(
  config: Pick<Config, "migrationUrl">,
  engine: string,
): Promise<string | undefined> {
  if (config.migrationUrl) return nameEngine(config.migrationUrl.reveal(), engine);
  throw new Fault("invalid", "request_invalid", "there is no database whose engine could be named", {
    fix: "set REMIT_MIGRATION_URL to the role that owns the tables",
  });
}
