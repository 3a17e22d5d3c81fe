import type { Config } from "@remit/pdp";
import type { Command } from "commander";
import { type Cli, paintFor } from "../cli.ts";
import { type DemoTenant, demoCurl, demoPayment, openDemo } from "../demo/tenant.ts";
import { examples } from "../examples.ts";
import { launcher } from "../launcher.ts";
import { wantsColour } from "../paint.ts";
import { loadPdp, type RunningPdp, starting } from "../service.ts";
import { stopSignal } from "../signals.ts";
import { exitCodes, Stop, usage } from "../stop.ts";
import { addSettings, type SettingFlags, settings } from "./settings.ts";

interface ServeFlags extends SettingFlags {
  demo?: boolean;
  json?: boolean;
}

const FORCED = 130;

function printAddresses(cli: Cli, pdp: RunningPdp, scheme: "http" | "https"): void {
  const { io } = cli;
  io.out(`${paintFor(io).bold("remit is ready")}`);
  io.out(`  Connect and JSON  ${scheme}://${pdp.httpAddress}`);
  io.out(`  gRPC              ${pdp.grpcAddress}${scheme === "https" ? "  (TLS)" : ""}`);
  io.out(`  admin             ${scheme}://${pdp.adminAddress}`);
  io.out(`  metrics, health   http://${pdp.metricsAddress}/metrics  /readyz`);
}

function printKey(cli: Cli, pdp: RunningPdp, config: Config): void {
  const { io } = cli;
  const { bootstrapKey } = pdp;
  if (bootstrapKey === undefined) {
    io.out("\nIs it well?");
    io.out(`  curl -s http://${pdp.metricsAddress}/readyz`);
    return;
  }
  io.out(
    "\nThe owner's key. It is shown this once and stored only as a hash; make narrower ones with `remit keys create`:",
  );
  io.out(`  export REMIT_API_KEY=${bootstrapKey}`);
  io.out("\nTry it:");
  const tls = config.transport === "tls";
  const trust = tls ? " --cacert THE_AUTHORITY_OF_ITS_CERTIFICATE" : "";
  io.out(
    `  curl -s${trust} ${tls ? "https" : "http"}://${pdp.adminAddress}/remit.v1.ToolService/ListTools -H 'content-type: application/json' \\\n` +
      `    -H 'authorization: Bearer ${bootstrapKey}' -d '{}'`,
  );
}

function printDemo(cli: Cli, pdp: RunningPdp, demo: DemoTenant): void {
  const { io } = cli;
  io.out("\nA demo tenant is ready: the agent `bookkeeper` in a session for ada@acme.example. Ask whether it may pay:");
  io.out(demoCurl(pdp.httpAddress, demo));
  io.out("\nOr with the command line, in another terminal (it waits for a person: the payment is large):");
  io.out(`  export REMIT_API_KEY=${demo.key} REMIT_SESSION=${demo.sessionToken}`);
  io.out(`  export REMIT_ADDRESS=${pdp.grpcAddress} REMIT_ADMIN_ADDRESS=${pdp.adminAddress}`);
  io.out(`  alias remit='${process.execPath} ${launcher}'`);
  io.out(`  remit decide payments.transfer --input '${JSON.stringify({ ...demoPayment, amount: 9000 })}'`);
}

async function announce(cli: Cli, flags: ServeFlags, pdp: RunningPdp, config: Config): Promise<void> {
  const { httpAddress, grpcAddress, adminAddress, metricsAddress, bootstrapKey } = pdp;
  const demo = flags.demo ? await openDemo(cli, pdp, config.dataDir) : undefined;
  if (flags.json) {
    cli.io.out(JSON.stringify({ httpAddress, grpcAddress, adminAddress, metricsAddress, bootstrapKey, demo }));
    return;
  }
  printAddresses(cli, pdp, config.transport === "tls" ? "https" : "http");
  if (demo === undefined) printKey(cli, pdp, config);
  else printDemo(cli, pdp, demo);
  cli.io.out(paintFor(cli.io).dim("\nCtrl-C stops it."));
}

async function serve(cli: Cli, flags: ServeFlags): Promise<void> {
  const config = await settings(cli, flags, "serve");
  if (flags.demo && (config.transport === "tls" || config.transport === "mesh")) {
    throw usage("--demo is for a service on loopback", "start without --demo, or with transport loopback");
  }
  if (flags.demo && config.mode !== "development") {
    throw usage("--demo is for development", "start without --demo, or with --mode development");
  }
  const { createLog, startPdp } = await loadPdp();
  const pretty = process.stderr.isTTY && config.mode === "development";
  const log = createLog({
    level: config.logLevel,
    format: pretty ? "pretty" : "json",
    colour: wantsColour(process.stderr.isTTY, cli.io.env),
    write: (line) => process.stderr.write(line),
  });
  // From here on a signal must not end the process by itself: what has started is closed in order.
  const stopped = stopSignal(process, Date.now, () => process.exit(FORCED));
  const pdp = await starting(() => startPdp({ config, log, warmUp: true }));
  // Without certificates the signal keeps its meaning: the terminal is gone.
  if (config.transport === "tls") process.on("SIGHUP", pdp.reload);
  try {
    await announce(cli, flags, pdp, config);
    const ending = await Promise.race([stopped.then((signal) => ({ signal })), pdp.failed.then((why) => ({ why }))]);
    if ("why" in ending) throw new Stop(exitCodes.unavailable, ending.why, "start it again; the reason stands above");
    cli.io.err(`${ending.signal}: finishing the calls in flight ...`);
  } finally {
    await pdp.close();
  }
  cli.io.err("stopped");
}

/** `remit serve`: run the decision point until a signal comes. */
export function addServe(program: Command, cli: Cli): void {
  const command = addSettings(program.command("serve"))
    .description("run the decision point; without REMIT_DATABASE_URL it brings its own Postgres")
    .option("--demo", "with a tenant to try things on, and a curl line that works (development)")
    .option("--json", "the addresses and the key as one line of JSON")
    .addHelpText("after", `\nA configuration with problems ends with ${exitCodes.config}, and all of them are printed.`)
    .action((flags: ServeFlags) => serve(cli, flags));
  examples(command, [
    ["on this machine, nothing to set up", "remit serve"],
    ["with something to try", "remit serve --demo"],
    [
      "beside another one",
      "remit serve --data-dir /tmp/other --http-address 127.0.0.1:0 --grpc-address 127.0.0.1:0 --admin-address 127.0.0.1:0 --metrics-address 127.0.0.1:0",
    ],
  ]);
}
