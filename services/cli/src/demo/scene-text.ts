import type { JsonObject } from "@bufbuild/protobuf";
import { effectWords, paintEffect } from "../effects.ts";
import type { Paint } from "../paint.ts";
import type { Attempt } from "./bookkeeper.ts";

/** A decision as the ledger has it. */
export interface RecordedDecision {
  readonly epoch: bigint;
  readonly n: bigint;
  readonly body: JsonObject;
}

interface DecisionBody {
  readonly effect: string;
  readonly reason: { readonly code: string; readonly message: string };
  readonly rules: readonly { readonly policy: string; readonly rule: string }[];
}

const meanings = {
  allow: "it may run",
  transform: "it may run, with another input",
  escalate: "it waits for a person",
  clarify: "a question comes first",
  deny: "it does not run",
} as const;

function line(name: string, text: string): string {
  return `   ${name.padEnd(9)} ${text}`;
}

function result({ output, ranWith, questions = [] }: Attempt, changed: boolean): string[] {
  if (output !== undefined) {
    return [...(changed ? [line("ran with", JSON.stringify(ranWith))] : []), line("result", output)];
  }
  return questions.map((question) => line("question", question));
}

/** One scene: what was asked, what was answered and why, by which rule, what happened, where it is recorded. */
export function sceneLines(attempt: Attempt, { epoch, n, body }: RecordedDecision, paint: Paint): string[] {
  const { effect, reason, rules } = body as unknown as DecisionBody;
  const word = effectWords.find((known) => known === effect) ?? "deny";
  const by = rules.map(({ policy, rule }) => `${policy}/${rule}`).join(", ");
  const told = word === "allow" || word === "transform" ? [] : [line("told", `"${reason.message}"`)];
  return [
    line("asked", `${attempt.tool} ${JSON.stringify(attempt.input)}`),
    line("answer", `${paintEffect(paint, word, word.toUpperCase())}: ${meanings[word]}, by the rule ${paint.bold(by)}`),
    ...told,
    ...result(attempt, word === "transform"),
    paint.dim(
      line(
        "recorded",
        `epoch ${epoch}, n ${n}, before the answer left; answered in ${attempt.answeredMs.toFixed(1)} ms`,
      ),
    ),
  ];
}
