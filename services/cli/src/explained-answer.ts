import type {
  ExplainedCheck,
  ExplainedCondition,
  ExplainedPart,
  ExplainedSetting,
  Explanation,
  ToldExplanation,
} from "@remit/engine";
import { Mode } from "@remit/proto/common";
import type { ExplainResponse, PartTrace, RuleTrace, Would } from "@remit/proto/decision";
import { effectWord } from "./effects.ts";

function given<Name extends string>(name: Name, text: string): { [N in Name]?: string } {
  return text === "" ? {} : ({ [name]: text } as { [N in Name]?: string });
}

function part({ depth, text, operands, outcome, value, why }: PartTrace): ExplainedPart {
  return {
    ...{ depth, text, outcome: outcome as ExplainedPart["outcome"] },
    ...{ ...given("operands", operands), ...given("value", value), ...given("why", why) },
  };
}

function considered({
  rule,
  effect,
  mode,
  result,
  why,
  conditions,
  settings,
}: RuleTrace): Explanation["considered"][number] {
  const { policy = "?", version = 0, rule: id = "?" } = rule ?? {};
  return {
    ...{ rule: { policy, version, rule: id }, effect: effectWord(effect) },
    mode: mode === Mode.OBSERVED ? "observe" : "enforce",
    result: result as "true" | "false" | "unknown",
    why,
    conditions: conditions.map(
      (one): ExplainedCondition => ({
        kind: one.kind as ExplainedCondition["kind"],
        outcome: one.outcome as ExplainedCondition["outcome"],
        ...{ text: one.text, ...given("why", one.why), parts: one.parts.map(part) },
      }),
    ),
    settings: settings.map(
      (one): ExplainedSetting => ({
        ...{ path: one.path, ...given("before", one.before), ...given("after", one.after) },
        ...{ ...given("why", one.why), ...given("text", one.text), parts: one.parts.map(part) },
      }),
    ),
  };
}

const answered = ({ effect, reason }: Would) => ({ effect: effectWord(effect), code: reason?.code ?? "" });

/** An explanation of the service as the engine makes them here. */
export function toldExplanation(answer: ExplainResponse): ToldExplanation {
  const { verdict, would, mode, checks, skipped } = answer;
  const said = verdict ? answered(verdict) : { effect: "deny" as const, code: "" };
  return {
    verdict: {
      ...said,
      mode: mode === Mode.OBSERVED ? "observed" : "enforced",
      ...(would && { would: answered(would) }),
    },
    checks: checks.map(({ name, outcome, detail }) => ({
      name: name as ExplainedCheck["name"],
      ...{ outcome: outcome as ExplainedCheck["outcome"], ...given("detail", detail) },
    })),
    considered: answer.considered.map(considered),
    skipped: {
      otherAgents: skipped?.otherAgents ?? 0,
      otherTools: skipped?.otherTools ?? 0,
      notReached: skipped?.notReached ?? 0,
      ...(skipped && skipped.notListed > 0 && { notListed: skipped.notListed }),
    },
  };
}
