import { Failure } from "../cel/value.ts";
import type { CompiledCondition, CompiledRule } from "../compile/rule.ts";
import { reporter } from "../documents/origin.ts";
import type { PolicyDocument } from "../documents/policy.ts";
import type { Problem } from "../documents/problem.ts";
import { spareFrame, type Trace } from "../judge/judge.ts";
import type { RuleRef, Verdict } from "../judge/verdict.ts";

/** How often a condition came out so, where its rule came to it. */
export interface ConditionCoverage {
  readonly kind: "when" | "unless";
  readonly text: string;
  readonly true: number;
  readonly false: number;
  readonly unknown: number;
}

export interface RuleCoverage {
  readonly policy: string;
  readonly rule: string;
  /** Where it is declared; 0 where that is not known. */
  readonly file: string;
  readonly line: number;
  /** Cases in which its conditions held. */
  readonly matched: number;
  /** Cases whose verdict, or what they would have had, names it. */
  readonly decided: number;
  readonly conditions: readonly ConditionCoverage[];
}

/** What the cases made of the rules. */
export interface Coverage {
  /**
   * Of 100, rounded down to a tenth: of every rule that it matched and that it decided, and of every condition that it
   * was true and that it was false. Conditions that were never unknown are told, and not counted.
   */
  readonly percent: number;
  readonly rules: readonly RuleCoverage[];
}

interface Counts {
  matched: number;
  decided: number;
  readonly conditions: { true: number; false: number; unknown: number }[];
}

/** Counts what rules and conditions come out as. */
export interface CoverageCounter {
  readonly trace: Trace;
  verdict(verdict: Verdict): void;
  result(): Coverage;
}

export function coverageOf(policies: readonly PolicyDocument[]): CoverageCounter {
  const counts = new Map<string, Counts>();
  for (const { metadata, spec } of policies) {
    for (const { id, when = [], unless = [] } of spec.rules) {
      const conditions = [...when, ...unless].map(() => ({ true: 0, false: 0, unknown: 0 }));
      counts.set(`${metadata.name}/${id}`, { matched: 0, decided: 0, conditions });
    }
  }
  return {
    trace: (rule, result, frame) => {
      const counted = counts.get(nameOf(rule.ref));
      if (!counted) return;
      if (result === true) counted.matched++;
      for (const [index, outcome] of outcomes(rule, spareFrame(frame))) {
        const condition = counted.conditions[index];
        if (condition) condition[outcome]++;
      }
    },
    verdict: ({ rules, would }) => {
      for (const name of new Set([...rules, ...(would?.rules ?? [])].map(nameOf))) {
        const counted = counts.get(name);
        if (counted) counted.decided++;
      }
    },
    result: () => summed(policies, counts),
  };
}

function nameOf({ policy, rule }: RuleRef): string {
  return `${policy}/${rule}`;
}

type Named = "true" | "false" | "unknown";

/** What the conditions come out as that a rule comes to: one that is false ends its list. */
function* outcomes({ when, unless }: CompiledRule, frame: ReturnType<typeof spareFrame>): Generator<[number, Named]> {
  const run = function* (conditions: readonly CompiledCondition[], from: number): Generator<[number, Named], boolean> {
    for (const [index, condition] of conditions.entries()) {
      const outcome = condition.judge(frame);
      yield [from + index, outcome instanceof Failure ? "unknown" : outcome ? "true" : "false"];
      if (outcome === false) return false;
    }
    return true;
  };
  if (yield* run(when, 0)) yield* run(unless, when.length);
}

function summed(policies: readonly PolicyDocument[], counts: ReadonlyMap<string, Counts>): Coverage {
  const rules = policies.flatMap((document) => {
    const policy = document.metadata.name;
    return document.spec.rules.map(({ id, when = [], unless = [] }, index): RuleCoverage => {
      const { matched, decided, conditions } = counts.get(`${policy}/${id}`) ?? {
        matched: 0,
        decided: 0,
        conditions: [],
      };
      const texts = [
        ...when.map((text) => ["when", text] as const),
        ...unless.map((text) => ["unless", text] as const),
      ];
      const none = { true: 0, false: 0, unknown: 0 };
      return {
        ...{ policy, rule: id, ...placeOf(document, index), matched, decided },
        conditions: texts.map(([kind, text], at) => ({ kind, text, ...(conditions[at] ?? none) })),
      };
    });
  });
  const points = rules.flatMap(({ matched, decided, conditions }) => [
    ...[matched > 0, decided > 0],
    ...conditions.flatMap((condition) => [condition.true > 0, condition.false > 0]),
  ]);
  const seen = points.filter(Boolean).length;
  return { percent: points.length === 0 ? 100 : Math.floor((seen * 1000) / points.length) / 10, rules };
}

function placeOf(document: PolicyDocument, index: number): { file: string; line: number } {
  const places: Problem[] = [];
  reporter(document, `policy ${document.metadata.name}`, places)(`/spec/rules/${index}`, "");
  return { file: places[0]?.file ?? "", line: places[0]?.line ?? 0 };
}
