import type { Context, Entities } from "@cedar-policy/cedar-wasm/nodejs";
import { Failure } from "../../cel/value.ts";
import type { Size } from "./convert.ts";
import { CedarBreakdown, nameFor, withCedar } from "./engine.ts";
import { type CedarPolicy, workOfAll } from "./read-policies.ts";
import type { CedarRequest } from "./request.ts";

/** Policies that Cedar keeps parsed. */
export interface PreparedSet {
  /** Steps that an evaluation on so much takes at most. */
  readonly stepsFor: (size: Size) => number;
  /** Has Cedar parse them now, and not with the first request. */
  readonly prepare: () => void;
  /** The ids of the policies that decide: forbids that are satisfied, else permits. One that errs and nothing is known. */
  readonly satisfied: (request: CedarRequest) => readonly string[] | Failure;
}

const requestSteps = 1_000;
const stepsPerValue = 80;
const charsPerStep = 4;
const stepsPerWideValue = 4;
const wideCharsPerStep = 16;
const patternPairsPerStep = 12;

export function preparedSet(policies: readonly CedarPolicy[]): PreparedSet {
  const work = workOfAll(policies);
  // As one text, which takes a quarter of the time: Cedar numbers its policies in their order.
  const staticPolicies = policies.map(({ text }) => text).join("\n");
  const ids = new Map(policies.map(({ rule }, at) => [`policy${at}`, rule.id]));
  let keptIn = 0;
  let broken = false;
  const parse = ({ api, generation }: Parameters<Parameters<typeof withCedar>[0]>[0]) => {
    if (keptIn !== generation) api.preparsePolicySet(name, { staticPolicies });
    keptIn = generation;
  };
  const guarded = <T>(run: Parameters<typeof withCedar<T>>[0]): T | Failure => {
    if (broken) return new Failure("error", "Cedar broke down on this policy before");
    try {
      return withCedar(run);
    } catch (error) {
      if (!(error instanceof CedarBreakdown)) throw error;
      broken = true;
      return new Failure("error", `Cedar broke down: ${error.message}`);
    }
  };
  const set: PreparedSet = {
    prepare: () => void guarded(parse),
    stepsFor: ({ values, chars }) =>
      requestSteps +
      work.steps +
      stepsPerValue * values +
      Math.ceil(chars / charsPerStep) +
      work.wide * (stepsPerWideValue * values + Math.ceil(chars / wideCharsPerStep)) +
      Math.ceil((work.patternChars * chars) / patternPairsPerStep),
    satisfied: (request) =>
      guarded((loaded) => {
        parse(loaded);
        return read(loaded.api.statefulIsAuthorized({ ...wire(request), preparsedPolicySetId: name }), ids);
      }),
  };
  const name = nameFor(set);
  return set;
}

type Api = Parameters<Parameters<typeof withCedar>[0]>[0]["api"];
type Call = Parameters<Api["statefulIsAuthorized"]>[0];

function wire({ principal, action, resource, context, entities }: CedarRequest): Omit<Call, "preparsedPolicySetId"> {
  return { principal, action, resource, context: context as Context, entities: entities as unknown as Entities };
}

function read(
  answer: ReturnType<Api["statefulIsAuthorized"]>,
  ids: ReadonlyMap<string, string>,
): readonly string[] | Failure {
  if (answer.type === "failure") return new Failure("error", answer.errors.map(({ message }) => message).join("; "));
  const { reason, errors } = answer.response.diagnostics;
  const [failed] = errors;
  if (failed) return new Failure("error", `${ids.get(failed.policyId)}: ${failed.error.message}`);
  const named = reason.map((number) => ids.get(number)).filter((id) => id !== undefined);
  return named.length === reason.length
    ? named
    : new Failure("error", "Cedar answered of a policy that it was not given");
}
