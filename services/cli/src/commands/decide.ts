import { randomUUID } from "node:crypto";
import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { type DecideRequestSchema, DecideResponseSchema, ExplainResponseSchema } from "@remit/proto/decision";
import type { Command } from "commander";
import { amounts, collect, jsonBytes } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { decisionLines, observedLine } from "../decision-text.ts";
import { effectWord, mayRun, paintEffect, versionedRule } from "../effects.ts";
import { examples } from "../examples.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";

interface DecideOptions {
  input: string;
  context?: string;
  answers?: string;
  callId?: string;
  estimate?: string[];
  constraint?: string[];
  schemaDigest?: string;
  sessionToken?: string;
  explain?: boolean;
  json?: boolean;
}

async function request(cli: Cli, tool: string, options: DecideOptions) {
  const { context, answers } = options;
  const call: MessageInitShape<typeof DecideRequestSchema> = {
    callId: options.callId ?? `cli-${randomUUID()}`,
    tool,
    input: { case: "inputJson", value: await jsonBytes(cli.io, options.input, "--input") },
    estimate: amounts(options.estimate, "--estimate"),
    supportedConstraints: options.constraint ?? [],
    toolSchemaDigest: options.schemaDigest ?? "",
  };
  if (context !== undefined)
    call.context = { case: "contextJson", value: await jsonBytes(cli.io, context, "--context") };
  if (answers !== undefined)
    call.answers = { case: "answersJson", value: await jsonBytes(cli.io, answers, "--answers") };
  return call;
}

function requireSession(cli: Cli, token: string | undefined): void {
  if (token !== undefined || (cli.io.env.REMIT_SESSION ?? "") !== "") return;
  throw usage("no session is named", "export REMIT_SESSION=... as `remit session open` prints it, or --session-token");
}

async function explain(cli: Cli, tool: string, options: DecideOptions): Promise<ExitCode> {
  const client = cli.clients({ sessionToken: options.sessionToken }).decision;
  const answer = await client.explain({ call: await request(cli, tool, options) });
  const word = answer.verdict === undefined ? "deny" : effectWord(answer.verdict.effect);
  if (options.json) {
    printJson(cli.io, toJson(ExplainResponseSchema, answer));
  } else {
    const paint = paintFor(cli.io);
    const { code = "", message = "" } = answer.verdict?.reason ?? {};
    cli.io.out(`would ${paintEffect(paint, word)}  ${tool}  ${paint.dim(code)}  (nothing was recorded)`);
    if (message !== "") cli.io.out(`  ${message}`);
    if (answer.would) cli.io.out(observedLine(answer.would));
    for (const { rule, effect, result, why } of answer.considered) {
      const name = rule === undefined ? "?" : versionedRule(rule);
      cli.io.out(`  ${result.padEnd(7)} ${effectWord(effect).padEnd(9)} ${name}${why === "" ? "" : `: ${why}`}`);
    }
  }
  return mayRun(word) ? exitCodes.ok : exitCodes.no;
}

async function decide(cli: Cli, tool: string, options: DecideOptions): Promise<ExitCode> {
  requireSession(cli, options.sessionToken);
  if (options.explain) return explain(cli, tool, options);
  const client = cli.clients({ sessionToken: options.sessionToken }).decision;
  const answer = await client.decide(await request(cli, tool, options));
  if (options.json) printJson(cli.io, toJson(DecideResponseSchema, answer));
  else for (const line of decisionLines(answer, tool, paintFor(cli.io))) cli.io.out(line);
  return mayRun(effectWord(answer.effect)) ? exitCodes.ok : exitCodes.no;
}

/** `remit decide`: ask about one call. Ends with 0 when it may run and with 1 when it may not. */
export function addDecide(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("decide <tool>")
    .description("ask whether a tool call may run; the answer is recorded before it is printed")
    .option("--input <json>", "the tool's arguments: a JSON object, @FILE or - for standard input", "{}")
    .option("--context <json>", "facts that the policies may read, asserted by you")
    .option("--answers <json>", "answers to a clarification, by question id")
    .option("--call-id <id>", "asking again with the same id is safe (default: a new one)")
    .option("--estimate <unit=decimal>", "what the call may cost; several times", collect)
    .option("--constraint <name>", "a constraint that you can honour; several times", collect)
    .option("--schema-digest <digest>", "of the tool's input schema as you know it; another one registered is a deny")
    .option("--session-token <token>", "instead of REMIT_SESSION")
    .option("--explain", "what would be answered; records nothing, needs the role diagnose")
    .option("--json", "for machines")
    .action(async (tool: string, options: DecideOptions) => ended(await decide(cli, tool, options)));
  examples(command, [
    [
      "may this payment run? exit 0: yes, 1: no",
      `remit decide payments.transfer --input '{"amount": 40, "to": "Acme"}'`,
    ],
    ["which rules were considered", `remit decide payments.transfer --input @call.json --explain`],
    [
      "answer what Remit wanted to know",
      `remit decide payments.transfer --call-id c1 --input @call.json --answers '{"memo": "rent"}'`,
    ],
  ]);
}
