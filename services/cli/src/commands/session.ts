import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  CloseSessionResponseSchema,
  OpenSessionResponseSchema,
  RenewSessionResponseSchema,
} from "@remit/proto/session";
import type { Command } from "commander";
import { collect, pairs, seconds } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { examples } from "../examples.ts";

interface OpenOptions {
  principal: string;
  purpose?: string;
  runId?: string;
  tool?: string[];
  label?: string[];
  lifetime?: string;
  json?: boolean;
}

interface Opened {
  readonly session?: { readonly id: string; readonly agent: string; readonly principal?: { readonly id: string } };
  readonly token: string;
  readonly tokenExpiresAt?: Parameters<typeof timestampDate>[0];
}

function show(cli: Cli, { session, token, tokenExpiresAt }: Opened): void {
  const paint = paintFor(cli.io);
  const until = tokenExpiresAt === undefined ? "" : `  token until ${timestampDate(tokenExpiresAt).toISOString()}`;
  cli.io.out(`${paint.bold(session?.id ?? "")}  ${session?.agent} for ${session?.principal?.id}${until}`);
  cli.io.out(`export REMIT_SESSION=${token}`);
}

async function open(cli: Cli, agent: string, options: OpenOptions): Promise<void> {
  const answer = await cli.clients().session.openSession({
    agent,
    onBehalfOf: { case: "principal", value: { id: options.principal } },
    ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
    ...(options.runId === undefined ? {} : { runId: options.runId }),
    ...(options.tool === undefined ? {} : { scope: { tools: options.tool } }),
    ...(options.lifetime === undefined ? {} : { maxLifetimeSeconds: seconds(options.lifetime, "--lifetime") }),
    labels: pairs(options.label, "--label"),
  });
  if (options.json) printJson(cli.io, toJson(OpenSessionResponseSchema, answer));
  else show(cli, answer as Opened);
}

function addOpen(session: Command, cli: Cli): void {
  const command = session
    .command("open <agent>")
    .description("open a session: one run of an agent for one principal; prints its token")
    .requiredOption("--principal <id>", "the human or service on whose behalf the agent acts (asserted by you)")
    .option("--purpose <text>", "what the run is for; recorded")
    .option("--run-id <id>", "opening again with the same id answers the same session")
    .option("--tool <glob>", "narrow the session to these tools; several times", collect)
    .option("--label <name=value>", "a label of the session; several times", collect)
    .option("--lifetime <duration>", "how long it may be renewed: 90s, 15m, 24h, 30d (default: 24h)")
    .option("--json", "for machines")
    .action((agent: string, options: OpenOptions) => open(cli, agent, options));
  examples(command, [
    [
      "a session for Ada, and its token into the environment",
      "remit session open bookkeeper --principal ada@example.com",
    ],
    ["one that may only read", "remit session open bookkeeper --principal ada@example.com --tool 'files.read*'"],
  ]);
}

/** `remit session`: open, renew, close. */
export function addSession(program: Command, cli: Cli): void {
  const session = program.command("session").description("open, renew and close sessions of agents");
  addOpen(session, cli);
  const renew = session
    .command("renew <session>")
    .description("a new token for an open session; prints it")
    .option("--json", "for machines")
    .action(async (sessionId: string, options: { json?: boolean }) => {
      const answer = await cli.clients().session.renewSession({ sessionId });
      if (options.json) printJson(cli.io, toJson(RenewSessionResponseSchema, answer));
      else show(cli, answer as Opened);
    });
  examples(renew, [["before the token runs out", "remit session renew 019a2f3e-..."]]);
  const close = session
    .command("close <session>")
    .description("close a session and everything delegated from it, at once")
    .option("--json", "for machines")
    .action(async (sessionId: string, options: { json?: boolean }) => {
      const answer = await cli.clients().session.closeSession({ sessionId });
      if (options.json) printJson(cli.io, toJson(CloseSessionResponseSchema, answer));
      else cli.io.out(`closed ${answer.session?.id ?? sessionId}; calls of it are denied from now on`);
    });
  examples(close, [["when the run is over", "remit session close 019a2f3e-..."]]);
}
