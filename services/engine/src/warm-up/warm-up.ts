import { checkExpressions } from "../compile/check-expressions.ts";
import { compileSteps } from "../compile/compile.ts";
import type { LaidOutMax } from "../compile/rule-index.ts";
import { finishInSlices, type Steps } from "../compile/steps.ts";
import { checkSchemas } from "../documents/read-tool.ts";
import { explainSteps } from "../explain/explain.ts";
import type { JsonObject } from "../json.ts";
import { evaluate } from "../judge/evaluate.ts";
import { sampleDocuments, sampleFacts, sampleTeams, teamFacts } from "./sample.ts";

/** Calls that are judged by the documents of one round. */
const callsOfRound = 60;
const callCost = 30;
const callsOfTeams = 20;
/** After so many rounds hardly anything grows faster by another. */
const roundsMax = 8;

interface Options {
  /** How long it may hold the thread, all slices together: what is not warm by then grows warm in use. */
  readonly busyMsMax: number;
  readonly nowMs?: () => number;
}

/**
 * Reads, compiles and judges documents and calls of its own until the machine has compiled the code for that: the first
 * large ones after a start would hold the process several times as long as later ones. In slices; between them it awaits
 * `pause`. Answers how many rounds there were and how long they held the thread, in milliseconds.
 */
export async function warmUp(
  pause: () => Promise<void>,
  { busyMsMax, nowMs = () => performance.now() }: Options,
): Promise<{ readonly rounds: number; readonly busyMs: number }> {
  let busyMs = 0;
  let beganMs = nowMs();
  const lap = () => {
    busyMs += nowMs() - beganMs;
  };
  const paused = async () => {
    lap();
    await pause();
    beganMs = nowMs();
  };
  let rounds = 0;
  while (rounds < roundsMax && busyMs < busyMsMax) await finishInSlices(round(rounds++), paused, nowMs);
  lap();
  return { rounds, busyMs };
}

const asStored = (document: object) => JSON.parse(JSON.stringify(document)) as JsonObject;

/** One round: documents that nobody has seen, read, compiled, and asked about calls of their tools. */
function* round(number: number): Steps<void> {
  const { tools, policies } = sampleDocuments(number);
  const problems: string[] = [];
  const report = (pointer: string, message: string) => void problems.push(`${pointer}: ${message}`);
  for (const tool of tools) yield* checkSchemas(asStored(tool), report);
  for (const policy of policies) yield* checkExpressions(asStored(policy), report);
  const source = { tools, policies: policies.map((document) => ({ document, version: 1 })) };
  const { compiled } = yield* compileSteps(source, {});
  if (!compiled) throw new Error(`the documents of the warm-up do not compile ${problems.join("; ")}`);
  for (let call = 0; call < callsOfRound; call++) {
    evaluate(compiled, sampleFacts(number * callsOfRound + call));
    yield callCost;
  }
  yield* explainSteps(compiled, sampleFacts(number * callsOfRound));
  yield* teams(number, undefined);
  yield* teams(number, { ofOne: 0, ofAll: 0 });
}

/** Calls of agents of many labels, by rules that are laid out, or listed for each call. */
function* teams(number: number, laidOutMax: LaidOutMax | undefined): Steps<void> {
  const { tools, policies } = sampleTeams(number);
  const source = { tools, policies: policies.map((document) => ({ document, version: 1 })) };
  const { compiled } = yield* compileSteps(source, { ...(laidOutMax && { laidOutMax }) });
  for (let call = 0; call < callsOfTeams; call++) {
    if (compiled) evaluate(compiled, teamFacts(call));
    yield callCost;
  }
}
