import { toJson } from "@bufbuild/protobuf";
import { ExplainResponseSchema } from "@remit/proto/decision";
import { budgetTraceLines } from "./budget-text.ts";
import { type Cli, paintFor, printJson } from "./cli.ts";
import { observedLine } from "./decision-text.ts";
import { effectWord, mayRun, paintEffect } from "./effects.ts";
import { loadEngine } from "./engine.ts";
import { toldExplanation } from "./explained-answer.ts";
import { type ExitCode, exitCodes } from "./stop.ts";

type Explain = ReturnType<Cli["clients"]>["decision"]["explain"];

/** Asks the service what it would answer to a call and why, and prints it. */
export async function askToExplain(
  cli: Cli,
  call: NonNullable<Parameters<Explain>[0]["call"]> & { readonly tool?: string },
  { sessionToken, json }: { sessionToken?: string | undefined; json?: boolean | undefined },
): Promise<ExitCode> {
  const answer = await cli.clients({ sessionToken }).decision.explain({ call });
  const word = answer.verdict === undefined ? "deny" : effectWord(answer.verdict.effect);
  if (json) {
    printJson(cli.io, toJson(ExplainResponseSchema, answer));
  } else {
    const paint = paintFor(cli.io);
    const { explanationLines } = await loadEngine();
    const { code = "", message = "" } = answer.verdict?.reason ?? {};
    cli.io.out(`would ${paintEffect(paint, word)}  ${call.tool ?? ""}  ${paint.dim(code)}  (nothing was recorded)`);
    if (message !== "") cli.io.out(`  ${message}`);
    if (answer.would) cli.io.out(observedLine(answer.would));
    for (const line of explanationLines(toldExplanation(answer))) cli.io.out(line);
    for (const line of budgetTraceLines(answer.budgets)) cli.io.out(line);
  }
  return mayRun(word) ? exitCodes.ok : exitCodes.no;
}
