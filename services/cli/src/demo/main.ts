import process from "node:process";
import { parseArgs } from "node:util";
import { createClient } from "@remit/sdk";
import type { Io } from "../cli.ts";
import { type Clients, connectClients } from "../clients.ts";
import { failureOf } from "../failure.ts";
import { type Paint, painter, wantsColour } from "../paint.ts";
import { withThrowAwayPdp } from "../service.ts";
import { exitCodes, usage } from "../stop.ts";
import { createLatency } from "../trace/latency.ts";
import { whyLines } from "../why-text.ts";
import { type Attempt, type Bookkeeper, createBookkeeper } from "./bookkeeper.ts";
import { tellHandingOn } from "./handing-on.ts";
import { type RecordedDecision, sceneLines } from "./scene-text.ts";
import { tellSpending } from "./spending.ts";
import { story } from "./story.ts";
import { DEMO_AGENT, DEMO_PRINCIPAL, seedDemo } from "./tenant.ts";

const { stdout, stderr, env } = process;

const io: Pick<Io, "out" | "err"> = {
  out: (line) => stdout.write(`${line}\n`),
  err: (line) => stderr.write(`${line}\n`),
};

const HELP = `Remit in a minute: an agent's tool calls, decided, recorded and settled by a service that is gone when this ends.

  npm run demo

It takes no options, needs nothing that runs already, and leaves nothing behind.
`;

const INTRODUCTION = [
  "The bookkeeper is an agent of a small company. It works for Ada, and it has tools.",
  "Before a tool runs, Remit decides whether it may, records why, and only then answers.",
];

const SPEED_CALLS = 200;

const NEXT = [
  ["npm start", "a service to try things on, with a curl line that works"],
  ["services/cli/src/demo/documents/", "the policies of this story: change one and run it again"],
  ["services/cli/src/demo/bookkeeper.ts", "an agent's tools, bound with the SDK"],
  ["npx -c 'remit --help'", "everything else"],
] as const;

async function ledgerEntries(clients: Clients, decisionId: string): Promise<RecordedDecision[]> {
  const { decision, reports } = await clients.ledger.getDecision({ decisionId });
  return [...(decision === undefined ? [] : [decision]), ...reports].map((entry) => ({
    ...entry,
    body: entry.body ?? {},
  }));
}

/** The first calls of a process are slow for reasons of their own; these are not the first. */
async function printSpeed(keeper: Bookkeeper): Promise<void> {
  const latency = createLatency();
  for (let at = 0; at < SPEED_CALLS; at++) {
    const { answeredMs } = await keeper.attempt("invoices.read", { id: `${at}` });
    latency.record(answeredMs);
  }
  const { p50, p99 } = latency.result();
  const figures = `half within ${p50.toFixed(1)} ms, 99 of 100 within ${p99.toFixed(1)} ms`;
  io.out(`\n${SPEED_CALLS} more reads, one after the other, each decided and recorded: ${figures} on this machine.`);
}

async function tellStory(clients: Clients, address: string, key: string, paint: Paint): Promise<readonly Attempt[]> {
  const client = createClient({ address, key });
  try {
    await client.ready();
    const principal = { id: DEMO_PRINCIPAL };
    const session = await client.openSession({ agent: DEMO_AGENT, principal, purpose: "the invoices of the morning" });
    const keeper = createBookkeeper(client, session);
    const attempts: Attempt[] = [];
    for (const [at, scene] of story.entries()) {
      io.out(`\n${paint.bold(`${at + 1}. ${scene.title}`)}`);
      const attempt = await keeper.attempt(scene.tool, scene.input);
      const [decision] = await ledgerEntries(clients, attempt.decisionId);
      if (decision === undefined) throw new Error("an answer came whose decision is not in the ledger");
      for (const line of sceneLines(attempt, decision, paint)) io.out(line);
      attempts.push(attempt);
    }
    await client.flush();
    await tellSpending(client, clients, session, io.out, paint);
    await printSpeed(keeper);
    await tellHandingOn(client, clients, session, io.out, paint);
    return attempts;
  } finally {
    await client.close();
  }
}

async function printEnd(clients: Clients, attempts: readonly Attempt[], paint: Paint): Promise<void> {
  const denied = attempts.find(({ tool }) => tool === "customers.delete");
  if (denied !== undefined) {
    io.out(`\n${paint.bold("Months later: why were the customers not deleted?")}  remit why ${denied.decisionId}\n`);
    const entries = await ledgerEntries(clients, denied.decisionId);
    const digests = entries.map((entry) => ({ digest: "", ...entry }));
    for (const line of whyLines(digests, paint)) io.out(line === "" ? "" : `   ${line}`);
  }
  io.out(`\n${paint.bold("Try next")}`);
  const width = Math.max(...NEXT.map(([what]) => what.length));
  for (const [what, why] of NEXT) io.out(`   ${what.padEnd(width)}  ${paint.dim(why)}`);
}

async function demo(): Promise<void> {
  const paint = painter(wantsColour(stdout.isTTY, env));
  io.out(paint.bold("Remit in a minute"));
  for (const line of INTRODUCTION) io.out(line);
  io.out(paint.dim("(starting a service with a Postgres of its own; both are gone when this ends)"));
  await withThrowAwayPdp({}, async ({ grpcAddress, adminAddress, ownerKey }) => {
    const clients = connectClients({ address: grpcAddress, adminAddress, apiKey: ownerKey });
    await seedDemo({ io: io as Io }, clients);
    const attempts = await tellStory(clients, grpcAddress, ownerKey, paint);
    await printEnd(clients, attempts, paint);
  });
}

/** Whether that is all that was asked for. */
function saidHelp(): boolean {
  try {
    const { values } = parseArgs({ options: { help: { type: "boolean", default: false } } });
    if (values.help) stdout.write(HELP);
    return values.help;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error), "npm run demo takes no options");
  }
}

// A reader that has seen enough, such as `head`, closes the pipe: there is nobody left to tell.
stdout.on("error", () => process.exit(exitCodes.ok));
try {
  if (!saidHelp()) await demo();
} catch (error) {
  const { code, lines } = failureOf(error);
  for (const line of lines) io.err(line);
  process.exitCode = code;
}
