import { shortKey } from "../digest.ts";
import { summaryOf } from "../typing/shape.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import type { Reads } from "./condition.ts";
import type { CompiledCondition, CompiledRule } from "./rule.ts";
import type { Steps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

/** What decides what an expression compiles to, besides its own text. */
interface Surroundings {
  /** What it asked the schemas of its rule's tools itself, and what they said. */
  readonly places: Reads["places"];
  /** The keys of the variables that it names. */
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * Equal for expressions that mean the same: the same text, compiled by the same types, with variables that mean the
 * same. Expressions that mean the same may have different keys; the other way round never. Its length is bounded,
 * whatever the variables and the schemas say.
 */
export function meaningOf(text: string, { places, variables }: Surroundings): string {
  if (places.length === 0 && variables.size === 0) return shortKey(JSON.stringify([text]));
  const shapes = places.map(({ steps, shape }) => [steps, shape && summaryOf(shape)]);
  const named = [...variables].sort(([one], [other]) => (one < other ? -1 : 1));
  return shortKey(JSON.stringify([text, shapes, named]));
}

/** Where what a condition comes to is kept for a pass: one text for all who look there, so that none is compared by its letters. */
interface SharedPlace {
  readonly name: string;
  isShared: boolean;
}

/** The rules of each policy, in order; conditions that several rules have are judged once a pass and call. */
export type SharedRules = readonly (readonly CompiledRule[])[];

const ruleCost = 0.1;
const rulesAtOnce = 500;

export function* shareConditions(policies: readonly CompiledPolicy[]): Steps<SharedRules> {
  const places = wideMap<SharedPlace>();
  for (const { rules } of policies) {
    for (const { rule } of rules) {
      for (const key of keysOf(rule)) {
        const place = places.get(key);
        if (place) place.isShared = true;
        else places.set(key, { name: `? ${key}`, isShared: false });
      }
      yield ruleCost;
    }
  }
  const isShared = (key: string) => places.get(key)?.isShared === true;
  const once = (conditions: readonly CompiledCondition[]) =>
    conditions.map((condition) => {
      const place = condition.key === undefined ? undefined : places.get(condition.key);
      return place?.isShared ? judgedOnce(condition, place.name) : condition;
    });
  const shared: CompiledRule[][] = [];
  for (const { rules } of policies) {
    const all: CompiledRule[] = [];
    for (const { rule } of rules) {
      const some = keysOf(rule).some(isShared);
      all.push(some ? { ...rule, when: once(rule.when), unless: once(rule.unless) } : rule);
      yield ruleCost;
    }
    shared.push(all);
  }
  return shared;
}

/** The rules of one policy. */
interface Group {
  readonly transforms: readonly CompiledRule[];
  readonly others: readonly CompiledRule[];
}

/** Whether calls that meet these rules would judge a condition, or compute a variable, more than once. */
export function* repeats(groups: readonly Group[], policies: readonly CompiledPolicy[]): Steps<boolean> {
  const seen = wideMap<true>();
  const isSecond = (key: string) => {
    const before = seen.get(key);
    if (!before) seen.set(key, true);
    return before === true;
  };
  for (const { transforms, others } of groups) {
    for (const rules of [transforms, others]) {
      for (const [at, rule] of rules.entries()) {
        if (keysOf(rule).some(isSecond)) return true;
        if (at % rulesAtOnce === rulesAtOnce - 1) yield rulesAtOnce * ruleCost;
      }
    }
    yield ruleCost;
  }
  const texts = new Set<string>();
  for (const { document } of policies) {
    const own = new Set(Object.values(document.spec.variables ?? {}));
    for (const text of own) if (texts.size === texts.add(text).size) return true;
    yield ruleCost;
  }
  return false;
}

function keysOf({ when, unless }: CompiledRule): string[] {
  return [...when, ...unless].flatMap(({ key }) => key ?? []);
}

/** Of finding what a condition came to before: very many may ask. */
const lookedUpSteps = 2;

/** The condition, judged by whichever rule asks first in a pass that shares. */
function judgedOnce(condition: CompiledCondition, place: string): CompiledCondition {
  const { judge } = condition;
  return {
    ...condition,
    judge: (frame) => {
      const { shared } = frame;
      if (!shared) return judge(frame);
      const known = shared.get(place);
      if (known !== undefined) {
        frame.meter.steps -= lookedUpSteps;
        return known as ReturnType<typeof judge>;
      }
      const truth = judge(frame);
      shared.set(place, truth);
      return truth;
    },
  };
}
