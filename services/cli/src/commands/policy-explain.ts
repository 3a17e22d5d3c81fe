import type { Documents, Facts, JsonObject, JsonValue } from "@remit/engine";
import type { Command } from "commander";
import { amounts, collect, jsonObject, pairs } from "../arguments.ts";
import { askToExplain } from "../ask-to-explain.ts";
import { type CallOptions, callRequest, requireSession } from "../call-request.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { readDocumentFiles, readText } from "../document-files.ts";
import { mayRun, paintEffect } from "../effects.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, Stop, usage } from "../stop.ts";

interface ExplainFlags extends Partial<CallOptions> {
  facts?: string;
  tool?: string;
  agent?: string;
  agentLabel?: string[];
  principal?: string;
  sessionLabel?: string[];
  now?: string;
  sessionToken?: string;
  json?: boolean;
}

/** Facts that options name, over those of the file. */
async function namedFacts(cli: Cli, flags: ExplainFlags): Promise<JsonObject> {
  const { tool, agent, principal, now } = flags;
  const part = async (value: string | undefined, option: string) =>
    value === undefined ? undefined : await jsonObject(cli.io, value, option);
  const labels = (texts: string[] | undefined, option: string) => (texts ? pairs(texts, option) : undefined);
  const call = {
    tool,
    input: await part(flags.input, "--input"),
    context: await part(flags.context, "--context"),
    answers: await part(flags.answers, "--answers"),
    estimate:
      flags.estimate && amounts(flags.estimate, "--estimate").map(({ unit = "", value = "" }) => ({ unit, value })),
    schemaDigest: flags.schemaDigest,
  };
  const facts = {
    call,
    agent: { id: agent, labels: labels(flags.agentLabel, "--agent-label") },
    principal: { id: principal },
    session: { labels: labels(flags.sessionLabel, "--session-label") },
    now,
    supportedConstraints: flags.constraint,
  };
  return withoutAbsent(facts) as JsonObject;
}

function withoutAbsent(value: unknown): JsonValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value as JsonValue;
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  return Object.fromEntries(entries.map(([name, held]) => [name, withoutAbsent(held)]));
}

/** What the documents say of the agent: labels, owner, ceiling. */
function agentFacts({ agents }: Documents, name: string | undefined): JsonObject {
  const document = agents.find(({ metadata }) => metadata.name === name);
  if (!document) return {};
  const { labels = {}, ceiling } = document.spec;
  const scopes = ceiling === undefined ? {} : { scopes: [ceiling as unknown as JsonObject] };
  return { agent: { labels, owner: document.metadata.owner ?? "" }, ...scopes };
}

async function givenFacts(cli: Cli, flags: ExplainFlags, documents: Documents): Promise<Facts> {
  const { completeFacts, mergeFacts, parseFacts } = await loadEngine();
  let written: JsonObject = {};
  if (flags.facts !== undefined) {
    const file = {
      file: flags.facts === "-" ? "stdin" : flags.facts,
      text: await readText(cli.io, flags.facts, "--facts"),
    };
    const read = parseFacts(file);
    if (!read.written) {
      await printProblems(cli.io, read.problems);
      throw new Stop(exitCodes.no, "the facts cannot be read");
    }
    written = read.written;
  }
  const named = mergeFacts(written, await namedFacts(cli, flags));
  const agent = named.agent as JsonObject | undefined;
  const facts = completeFacts(mergeFacts(agentFacts(documents, agent?.id as string | undefined), named));
  if (facts.call.tool === "") throw usage("no tool is named", "--tool NAME, or `call: { tool: NAME }` in --facts FILE");
  return facts;
}

async function explainHere(cli: Cli, paths: readonly string[], flags: ExplainFlags): Promise<ExitCode> {
  const { documents: files } = await readDocumentFiles(cli.io, paths, "the path");
  const { documents, problems } = await checkDocuments(files);
  if (refuses(problems, false)) {
    await printProblems(cli.io, problems);
    return exitCodes.no;
  }
  const { compile, estimateFor, explain, explanationLines } = await loadEngine();
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: documents.tools });
  if (!compiled) return exitCodes.no;
  const facts = await givenFacts(cli, flags, documents);
  const { call } = facts;
  const estimate = estimateFor(compiled, call.tool, facts.input, call.estimate);
  const explanation = explain(compiled, { ...facts, call: { ...call, estimate } });
  const { effect, code, message } = explanation.verdict;
  if (flags.json) {
    printJson(cli.io, explanation);
  } else {
    const paint = paintFor(cli.io);
    cli.io.out(`would ${paintEffect(paint, effect)}  ${call.tool}  ${paint.dim(code)}`);
    cli.io.out(`  ${message}`);
    for (const line of explanationLines(explanation)) cli.io.out(line);
  }
  return mayRun(effect) ? exitCodes.ok : exitCodes.no;
}

async function explainThere(cli: Cli, flags: ExplainFlags): Promise<ExitCode> {
  const { tool, facts, agent, principal } = flags;
  if (facts !== undefined || agent !== undefined || principal !== undefined) {
    throw usage(
      "facts are given to policies in files",
      "name the files too: remit policy explain policies/ --facts call.yaml",
    );
  }
  if (tool === undefined) throw usage("no tool is named", "--tool NAME, and --input for its arguments");
  requireSession(cli, flags.sessionToken);
  return askToExplain(cli, await callRequest(cli, tool, { ...flags, input: flags.input ?? "{}" }), flags);
}

/** `remit policy explain`: which rules a call meets, and the values that decide. */
export function addPolicyExplain(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("explain [path...]")
    .description(
      "show how every rule comes out on a call, with the values that decide; ends with 1 when it may not run",
    )
    .option("--facts <file>", "what is known of the call, as `given` of a policy test; - for standard input")
    .option("--tool <name>", "the tool that is called")
    .option("--input <json>", "its arguments: JSON, @FILE or -")
    .option("--context <json>", "what the caller's process asserts")
    .option("--answers <json>", "answers to questions, by id")
    .option("--estimate <unit=decimal>", "what the call may cost; several times", collect)
    .option("--constraint <name>", "a constraint that the caller can honour; several times", collect)
    .option("--schema-digest <digest>", "of the tool's input schema as the caller knows it")
    .option("--agent <name>", "who calls; an Agent document of that name says what its labels and its ceiling are")
    .option("--agent-label <name=value>", "several times", collect)
    .option("--principal <id>", "for whom")
    .option("--session-label <name=value>", "several times", collect)
    .option("--now <time>", "when, such as 2026-03-01T08:00:00Z")
    .option("--session-token <token>", "without files: of which session, instead of REMIT_SESSION")
    .option("--json", "for machines")
    .action(async (paths: string[], flags: ExplainFlags) => {
      ended(await (paths.length > 0 ? explainHere(cli, paths, flags) : explainThere(cli, flags)));
    });
  examples(command, [
    ["policies in files, a call in a file", "remit policy explain policies/ --facts call.yaml"],
    [
      "a call in one line",
      `remit policy explain policies/ --tool payments.transfer --input '{"amount": 812}' --agent bookkeeper`,
    ],
    [
      "what is in force, for this session; needs the role diagnose",
      "remit policy explain --tool payments.transfer --input @call.json",
    ],
  ]);
}
