import { added } from "../added.ts";
import type { ToolFacts } from "../cel/frame.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import { addLabelled, newLabelIndex, numberLabels, type Wanted } from "./label-index.ts";
import {
  bitsFor,
  hashOfNumbers,
  type NumberSet,
  nextOf,
  noNumber,
  sameNumbers,
  setBit,
  setOfBits,
  setOfList,
} from "./number-set.ts";
import type { CompiledRule } from "./rule.ts";
import { indexSelectors, type Selectors } from "./selectors.ts";
import { type SharedRules, shareConditions } from "./shared.ts";
import type { Steps } from "./steps.ts";
import { type Asking, groupOf, type Indexed, type Part, type ToolRules, toolRules } from "./tool-rules.ts";
import { wideMap } from "./wide-map.ts";

/** The rules of all policies, found by tool. It depends on the policies alone, so it outlives a change of the tools. */
export interface RuleIndex {
  rulesFor(tool: ToolFacts): Steps<ToolRules>;
}

/**
 * How many rules are laid out beforehand, as lists in order: of one tool always, and of all tools that have more. Past
 * that a tool has a bit for each rule of the tenant, and its rules are listed anew for each call, those alone that its
 * agent's labels leave: laid out for every tool they would take the product of rules and tools.
 */
export interface LaidOutMax {
  readonly ofOne: number;
  readonly ofAll: number;
}

interface KnownRules {
  readonly set: NumberSet;
  readonly rules: ToolRules;
}

/** Tools with different rules that happen to have one hash; past that, what is equal is no longer found. */
const alikeMax = 8;

export function* indexRules(policies: readonly CompiledPolicy[], laidOutMax?: LaidOutMax): Steps<RuleIndex> {
  const selectors = yield* indexSelectors(matchesOf(policies));
  const index = yield* indexed(policies, selectors, yield* shareConditions(policies));
  const known = new Map<number, KnownRules[]>();
  const { ofOne, ofAll } = laidOutMax ?? { ofOne: 64, ofAll: 100_000 + 4 * index.rules.all.length };
  let room = ofAll;
  return {
    *rulesFor(tool) {
      const fitting = yield* selectors.fitting(tool);
      const { set, size } = yield* numbersOf(index, fitting);
      const hash = hashOfNumbers(set);
      const alike = known.get(hash) ?? [];
      const there = alike.find((one) => sameNumbers(one.set, set));
      if (there) return there.rules;
      const isLaidOut = size <= ofOne || size <= room;
      if (isLaidOut && size > ofOne) room -= size;
      const rules = yield* toolRules(index, { fitting, set, isLaidOut });
      known.set(hash, [...alike, { set, rules }].slice(-alikeMax));
      return rules;
    },
  };
}

function* matchesOf(policies: readonly CompiledPolicy[]): Generator<readonly [string, MatchDocument]> {
  for (const { rules } of policies) for (const { key, match } of rules) yield [key, match];
}

/** Rules that are indexed, or marked for a tool, in the time of one step of compiling. */
const rulesPerStep = 20;
const marksPerStep = 500;
const markedAtOnce = 2_000;

/** The rules with these selectors, of which each has others. */
function* numbersOf(
  { numbers, rules }: Indexed,
  fitting: NumberSet,
): Steps<{ readonly set: NumberSet; readonly size: number }> {
  const bits = bitsFor(rules.all.length);
  let size = 0;
  let marked = 0;
  for (let selector = nextOf(fitting, 0); selector !== noNumber; selector = nextOf(fitting, selector + 1)) {
    const its = numbers[selector] ?? [];
    for (const number of its) setBit(bits, number);
    size += its.length;
    marked += 1 + its.length;
    if (marked < markedAtOnce) continue;
    yield marked / marksPerStep;
    marked = 0;
  }
  return { set: setOfBits(bits, size), size };
}

function* indexed(policies: readonly CompiledPolicy[], selectors: Selectors, shared: SharedRules): Steps<Indexed> {
  const numbers = new Array<number[]>(selectors.count).fill(noNumbers);
  const parts = new Array<Part[]>(selectors.count).fill(noParts);
  const mosts = new Array<number>(selectors.count).fill(0);
  const questions = indexQuestions();
  const byLabels = newLabelIndex<number>();
  const labels = yield* numberLabels(policies.map((policy) => policy.labels));
  const starts = new Uint32Array(policies.length + 1);
  for (const [order, policy] of policies.entries()) starts[order + 1] = (starts[order] ?? 0) + policy.rules.length;
  const orders = new Uint32Array(starts[policies.length] ?? 0);
  const all: CompiledRule[] = [];
  for (const [order, policy] of policies.entries()) {
    const bySelector = new Map<number, CompiledRule[]>();
    for (const [place, { key, most }] of policy.rules.entries()) {
      const selector = selectors.numberOf(key);
      const rule = shared[order]?.[place];
      if (!rule) continue;
      const number = all.length;
      orders[number] = order;
      all.push(rule);
      numbers[selector] = added(numbers[selector] ?? noNumbers, number);
      bySelector.set(selector, added(bySelector.get(selector) ?? [], rule));
      // Of policies for some agents nobody knows here which of them meet.
      if (policy.labels.length === 0) mosts[selector] = (mosts[selector] ?? 0) + most;
      questions.add(rule, number);
      yield (1 + rule.questions.length) / rulesPerStep;
    }
    addLabelled(byLabels, labels.wanted[order] as Wanted, order);
    for (const [selector, rules] of bySelector) {
      parts[selector] = added(parts[selector] ?? noParts, { policy, group: groupOf(policy, order, rules) });
      yield rules.length / rulesPerStep;
    }
    yield 1;
  }
  const rules = { policies, all, orders, starts, gathered: { transforms: [], others: [] } };
  return { rules, labels, byLabels, numbers, parts, mosts, asking: yield* questions.found(all.length) };
}

// Nothing is ever written to these.
const noParts: Part[] = [];
const noNumbers: number[] = [];
const nobody: NumberSet = { list: [] };

/** The rules that ask questions, by the questions' types and ids. */
function indexQuestions() {
  const asking = { string: wideMap<Asking>(), number: wideMap<Asking>(), boolean: wideMap<Asking>() };
  const all: Asking[] = [];
  return {
    add({ questions }: CompiledRule, number: number): void {
      for (const { id, type } of questions) {
        const there = asking[type].get(id);
        if (there) {
          if (there.list.at(-1) !== number) there.list.push(number);
          continue;
        }
        const made = { list: [number], rules: nobody };
        asking[type].set(id, made);
        all.push(made);
      }
    },
    *found(count: number): Steps<Indexed["asking"]> {
      for (const one of all) {
        one.rules = setOfList(one.list, count);
        yield (1 + one.list.length) / marksPerStep;
      }
      return asking;
    },
  };
}
