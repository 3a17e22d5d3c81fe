import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { BoundSchema } from "@remit/proto/common";
import {
  CloseSessionResponseSchema,
  DelegateResponseSchema,
  OpenSessionResponseSchema,
  RenewSessionResponseSchema,
} from "@remit/proto/session";
import type { Command } from "commander";
import { collect, pairs, seconds, textOf } from "../arguments.ts";
import { requireSession } from "../call-request.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";

interface OpenOptions {
  principal?: string;
  subjectToken?: string;
  purpose?: string;
  runId?: string;
  tool?: string[];
  maxDepth?: string;
  label?: string[];
  budget?: string[];
  lifetime?: string;
  json?: boolean;
}

/** How many delegations a scope allows below; none unless it is said. */
function depthOf(text: string | undefined): { readonly maxDepth?: number } {
  if (text === undefined) return {};
  if (/^[0-9]{1,2}$/.test(text)) return { maxDepth: Number(text) };
  throw usage(`--max-depth takes a whole number, not ${text}`, "--max-depth 1");
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

async function onBehalfOf(cli: Cli, { principal, subjectToken }: OpenOptions) {
  if (principal !== undefined && subjectToken !== undefined) {
    throw usage("on whose behalf?", "give one of --principal and --subject-token, or neither");
  }
  if (principal === undefined && subjectToken === undefined) return undefined;
  if (principal !== undefined) return { case: "principal", value: { id: principal } } as const;
  const token = await textOf(cli.io, subjectToken ?? "", "--subject-token");
  return { case: "subjectToken", value: token.trim() } as const;
}

async function open(cli: Cli, agent: string, options: OpenOptions): Promise<void> {
  const onBehalf = await onBehalfOf(cli, options);
  const answer = await cli.clients().session.openSession({
    agent,
    ...(onBehalf === undefined ? {} : { onBehalfOf: onBehalf }),
    ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
    ...(options.runId === undefined ? {} : { runId: options.runId }),
    ...(options.tool === undefined ? {} : { scope: { tools: options.tool, ...depthOf(options.maxDepth) } }),
    ...(options.lifetime === undefined ? {} : { maxLifetimeSeconds: seconds(options.lifetime, "--lifetime") }),
    labels: pairs(options.label, "--label"),
    budgets: options.budget ?? [],
  });
  if (options.json) printJson(cli.io, toJson(OpenSessionResponseSchema, answer));
  else show(cli, answer as Opened);
}

function addOpen(session: Command, cli: Cli): void {
  const command = session
    .command("open <agent>")
    .description("open a session: one run of an agent for one principal; prints its token")
    .option(
      "--principal <id>",
      "the human or service on whose behalf the agent acts, asserted by you (default: the caller itself)",
    )
    .option("--subject-token <@file>", "the same, proved by a token of an issuer: @FILE, or - for standard input")
    .option("--purpose <text>", "what the run is for; recorded")
    .option("--run-id <id>", "opening again with the same id answers the same session")
    .option("--tool <glob>", "narrow the session to these tools; several times", collect)
    .option("--budget <name>", "a hard budget that must stop it when it runs out, or it is not opened", collect)
    .option("--max-depth <count>", "with --tool: how many delegations may follow below it (default: 0)")
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

interface DelegateOptions {
  tool: string[];
  bound?: string[];
  maxDepth?: string;
  purpose?: string;
  runId?: string;
  lifetime?: string;
  label?: string[];
  budget?: string[];
  sessionToken?: string;
  json?: boolean;
}

/** `50 EUR` as an amount. */
function budgetFrom(text: string): { unit: string; value: string } {
  const [, value = "", unit = ""] = /^\s*(\S+)\s+(\S+)\s*$/.exec(text) ?? [];
  if (unit === "") throw usage(`--budget cannot be read: ${text}`, '--budget "50 EUR"');
  return { unit, value };
}

/** `payments.*:input.amount:max=50` as a bound. */
function boundFrom(text: string): MessageInitShape<typeof BoundSchema> {
  const [, tool = "", path = "", name = "", value = ""] =
    /^(.+):(input[^:=]*):(max|min|prefix|equals|in)=(.*)$/s.exec(text) ?? [];
  if (tool === "") {
    throw usage(`--bound cannot be read: ${text}`, "--bound 'payments.*:input.amount:max=50'");
  }
  if (name === "max" || name === "min") {
    // What a number holds exactly is a number, so that it fits below bounds that are.
    const number = Number(value);
    if (String(number) === value) return { tool, path, limit: { case: name, value: number } };
    return { tool, path, limit: { case: `${name}Decimal`, value } };
  }
  if (name === "in") return { tool, path, limit: { case: "in", value: { values: value.split(",") } } };
  return { tool, path, limit: { case: name as "prefix" | "equals", value } };
}

async function delegate(cli: Cli, agent: string, options: DelegateOptions): Promise<void> {
  const { purpose, runId, lifetime, label, bound, budget, maxDepth } = options;
  const scope = {
    ...{ tools: options.tool, bounds: (bound ?? []).map(boundFrom) },
    ...depthOf(maxDepth),
  };
  requireSession(cli, options.sessionToken);
  const answer = await cli.clients({ sessionToken: options.sessionToken }).session.delegate({
    ...{ agent, scope, labels: pairs(label, "--label"), budget: (budget ?? []).map(budgetFrom) },
    ...(purpose !== undefined && { purpose }),
    ...(runId !== undefined && { runId }),
    ...(lifetime !== undefined && { maxLifetimeSeconds: seconds(lifetime, "--lifetime") }),
  });
  if (options.json) printJson(cli.io, toJson(DelegateResponseSchema, answer));
  else show(cli, answer as Opened);
}

function addDelegate(session: Command, cli: Cli): void {
  const command = session
    .command("delegate <agent>")
    .description("open a session for another agent under the one of REMIT_SESSION, with less; prints its token")
    .requiredOption("--tool <glob>", "what it may ask for, within what the session may; several times", collect)
    .option("--bound <bound>", "a limit on an argument, GLOB:PATH:LIMIT=VALUE; several times", collect)
    .option("--budget <amount>", 'what it may spend, "50 EUR"; once a unit', collect)
    .option("--max-depth <count>", "how many delegations may follow below it (default: 0)")
    .option("--purpose <text>", "what it is for; recorded")
    .option("--run-id <id>", "delegating again with the same id answers the same session")
    .option("--lifetime <duration>", "how long it may be renewed (default: as long as the session)")
    .option("--label <name=value>", "a label of the session; several times", collect)
    .option("--session-token <token>", "instead of REMIT_SESSION")
    .option("--json", "for machines")
    .action((agent: string, options: DelegateOptions) => delegate(cli, agent, options));
  examples(command, [
    [
      "a helper that pays up to 50",
      "remit session delegate payer --tool 'payments.*' --bound 'payments.*:input.amount:max=50'",
    ],
    ["one that spends 200 at most, all in all", "remit session delegate payer --tool 'payments.*' --budget '200 EUR'"],
  ]);
}

/** `remit session`: open, delegate, renew, close. */
export function addSession(program: Command, cli: Cli): void {
  const session = program.command("session").description("open, delegate, renew and close sessions of agents");
  addOpen(session, cli);
  addDelegate(session, cli);
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
