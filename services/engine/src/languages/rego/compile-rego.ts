import type { Frame } from "../../cel/frame.ts";
import { costFailure, Failure } from "../../cel/value.ts";
import type { CompiledRule } from "../../compile/rule.ts";
import type { Steps } from "../../compile/steps.ts";
import { nearestName } from "../../documents/nearest.ts";
import type { Report } from "../../documents/origin.ts";
import type { PolicyDocument } from "../../documents/policy.ts";
import { parseTimestampNs } from "../../instant.ts";
import type { JsonObject } from "../../json.ts";
import { factsDocument, oncePerPass } from "../facts-document.ts";
import type { Program, ProgramCompiling } from "../program.ts";
import { readBundle } from "./bundle.ts";
import { loadOpaModule, type OpaModule } from "./opa-module.ts";
import { readAnswer } from "./read-answer.ts";
import { ModuleProblem } from "./wasm-bytes.ts";

/** Instructions for one step of an evaluation: its 100,000 steps are 2,500,000 instructions of WebAssembly. */
const instructionsPerStep = 25;

/** Of unzipping a bundle, in the unit of {@link Steps}. */
const unpackingCost = 200;

const inputBytes = oncePerPass((frame) => new TextEncoder().encode(JSON.stringify(factsDocument(frame))));

/** A policy in Rego, ready to be asked; undefined after its problems were reported. */
export function* compileRego({ spec }: PolicyDocument, compiling: ProgramCompiling): Steps<Program | undefined> {
  const { report } = compiling;
  const { bundle = "", entrypoint = "", questions = [], data = {} } = spec;
  let module: OpaModule;
  try {
    const read = readBundle(bundle);
    yield unpackingCost;
    module = yield* loadOpaModule(read.module, mergedData(read.data, data, report));
  } catch (error) {
    if (!(error instanceof ModuleProblem)) throw error;
    report("/spec/bundle", error.message, { code: "program_invalid" });
    return undefined;
  }
  if (!module.entrypoints.includes(entrypoint)) {
    report("/spec/entrypoint", `the bundle has no entrypoint \`${entrypoint}\``, {
      code: "program_invalid",
      expected: module.entrypoints.join(", "),
      nearest: nearestName(entrypoint, module.entrypoints),
    });
    return undefined;
  }
  const ask = oncePerPass((frame: Frame): readonly CompiledRule[] | Failure => {
    const fuel = Math.max(0, frame.meter.steps) * instructionsPerStep;
    const nowNs = parseTimestampNs(frame.facts.now);
    if (nowNs === undefined) return new Failure("error", "now is not an RFC 3339 timestamp");
    const evaluated = module.evaluate(entrypoint, inputBytes(frame), { fuel, nowNs });
    frame.meter.steps -= Math.ceil(evaluated.fuel / instructionsPerStep);
    if ("problem" in evaluated) {
      return evaluated.exhausted ? costFailure : new Failure("error", `${entrypoint}: ${evaluated.problem}`);
    }
    if (evaluated.result === undefined) return new Failure("missing", `${entrypoint} is undefined`);
    return readAnswer(evaluated.result, { entrypoint, questions, compiling });
  });
  const only = (transforms: boolean) => (frame: Frame) => {
    const answer = ask(frame);
    return answer instanceof Failure ? answer : answer.filter(({ effect }) => (effect === "transform") === transforms);
  };
  return { questions, transforms: only(true), others: only(false) };
}

/** The bundle's data and the document's, which may not say the same thing twice. */
function mergedData(bundled: JsonObject, given: JsonObject, report: Report): JsonObject {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(bundled, key))
      report("/spec/data", `\`${key}\` stands in the bundle's data too`, { atKey: true });
  }
  return { ...bundled, ...given };
}
