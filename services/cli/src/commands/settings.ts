import type { Config } from "@remit/pdp";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { readConfigFile } from "../config-file.ts";
import { type ConfigInput, loadPdp } from "../service.ts";
import { exitCodes, Stop } from "../stop.ts";

/** Settings that may be given on the command line, as commander names them: the keys of `remit.yaml`. */
export interface SettingFlags {
  config?: string;
  mode?: string;
  dataDir?: string;
  httpAddress?: string;
  grpcAddress?: string;
  adminAddress?: string;
  metricsAddress?: string;
  logLevel?: string;
}

/** The options that say which store: what commands need that do not serve. */
export function addStoreSettings(command: Command): Command {
  return command
    .option("--config <file>", "the configuration (default: remit.yaml, if it is there)")
    .option("--mode <mode>", "development or production")
    .option("--data-dir <path>", "where the embedded Postgres lives (default: ./.remit)");
}

/** The options of the settings that people change most; docs/configuration.md has them all. */
export function addSettings(command: Command): Command {
  return addStoreSettings(command)
    .option("--http-address <host:port>", "Connect and JSON (default: 127.0.0.1:7080)")
    .option("--grpc-address <host:port>", "gRPC (default: 127.0.0.1:7081)")
    .option("--admin-address <host:port>", "admin services (default: 127.0.0.1:7082)")
    .option("--metrics-address <host:port>", "metrics and health (default: 127.0.0.1:7083)")
    .option("--log-level <level>", "debug, info, warn, error or silent (default: info)");
}

/** The configuration, or a stop with 78 that tells every problem. */
export async function settings(cli: Cli, flags: SettingFlags, purpose: "serve" | "migrate"): Promise<Config> {
  const { formatConfigProblems, loadConfig } = await loadPdp();
  const { config: named, mode, dataDir, httpAddress, grpcAddress, adminAddress, metricsAddress, logLevel } = flags;
  const file = await readConfigFile(named ?? (cli.io.env.REMIT_CONFIG || undefined));
  const given = { mode, dataDir, httpAddress, grpcAddress, adminAddress, metricsAddress, logLevel };
  const overrides: ConfigInput = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const loaded = loadConfig({ env: cli.io.env, overrides, purpose, ...(file === undefined ? {} : { file }) });
  if (loaded.ok) return loaded.config;
  throw new Stop(exitCodes.config, formatConfigProblems(loaded.problems).trimEnd());
}
