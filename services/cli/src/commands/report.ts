import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { Outcome, type ReportRequestSchema, ReportResponseSchema } from "@remit/proto/decision";
import { type Command, Option } from "commander";
import { amounts, collect } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";

const outcomes = {
  running: Outcome.RUNNING,
  succeeded: Outcome.SUCCEEDED,
  failed: Outcome.FAILED,
  not_executed: Outcome.NOT_EXECUTED,
  unknown: Outcome.UNKNOWN,
} as const;
type OutcomeWord = keyof typeof outcomes;

interface ReportOptions {
  outcome: OutcomeWord;
  callId?: string;
  actual?: string[];
  inputDigest?: string;
  outputDigest?: string;
  label?: string[];
  sessionToken?: string;
  json?: boolean;
}

function subject(decision: string | undefined, callId: string | undefined) {
  if ((decision === undefined) === (callId === undefined)) {
    throw usage("name the decision, or the call with --call-id: one of the two");
  }
  return decision === undefined
    ? ({ case: "callId", value: callId ?? "" } as const)
    : ({ case: "decisionId", value: decision } as const);
}

async function report(cli: Cli, decision: string | undefined, options: ReportOptions): Promise<void> {
  const told: MessageInitShape<typeof ReportRequestSchema> = {
    subject: subject(decision, options.callId),
    outcome: outcomes[options.outcome],
    actual: amounts(options.actual, "--actual"),
    inputDigest: options.inputDigest ?? "",
    outputDigest: options.outputDigest ?? "",
    labels: options.label ?? [],
  };
  const answer = await cli.clients({ sessionToken: options.sessionToken }).decision.report(told);
  if (options.json) return printJson(cli.io, toJson(ReportResponseSchema, answer));
  const stands = Object.entries(outcomes).find(([, value]) => value === answer.outcome)?.[0] ?? "unknown";
  const record = answer.record === undefined ? "" : `, recorded at epoch ${answer.record.epoch}, n ${answer.record.n}`;
  cli.io.out(answer.replayed ? `reported before: ${stands} stands${record}` : `reported ${stands}${record}`);
  if (answer.unsettledUnits.length > 0) {
    cli.io.err(`warning: no budget counts what it cost in ${answer.unsettledUnits.join(", ")}: none covers it in that`);
  }
  if (!answer.inputMatches) cli.io.err("warning: what ran is not what was decided; the ledger says so");
}

/** `remit report`: say what happened to a decided call. */
export function addReport(program: Command, cli: Cli): void {
  const command = program
    .command("report [decision]")
    .description("say what happened to a decided call: at least once, to any replica; the first outcome stands")
    .addOption(new Option("--outcome <outcome>", "what happened").choices(Object.keys(outcomes)).makeOptionMandatory())
    .option("--call-id <id>", "instead of a decision, when its id never arrived")
    .option("--actual <unit=decimal>", "what it cost; several times", collect)
    .option("--input-digest <digest>", "of what ran: sha256:<hex>")
    .option("--output-digest <digest>", "of what came out: sha256:<hex>")
    .option("--label <text>", "several times", collect)
    .option("--session-token <token>", "instead of REMIT_SESSION")
    .option("--json", "for machines")
    .action((decision: string | undefined, options: ReportOptions) => report(cli, decision, options));
  examples(command, [
    ["it ran, and cost this much", "remit report 019a2f3e-... --outcome succeeded --actual EUR=12.50"],
    ["the answer never came, so nothing ran", "remit report --call-id c1 --outcome not_executed"],
  ]);
}
