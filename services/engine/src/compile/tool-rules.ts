import { added } from "../added.ts";
import type { Question } from "../judge/verdict.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import {
  addLabelled,
  eachLabelled,
  type LabelIndex,
  type LabelNumbers,
  type Labels,
  newLabelIndex,
  type Wanted,
} from "./label-index.ts";
import { meet, type NumberSet, nextOf, noNumber } from "./number-set.ts";
import type { CompiledRule } from "./rule.ts";
import { repeats } from "./shared.ts";
import { type Steps, sortInSteps } from "./steps.ts";
import type { WideMap } from "./wide-map.ts";

/** The rules of one policy that one tool's calls may meet. */
export interface RuleGroup {
  /** The policy's place among all: rules are judged and named in this order. */
  readonly order: number;
  readonly observed: boolean;
  readonly variableCount: number;
  readonly transforms: readonly CompiledRule[];
  readonly others: readonly CompiledRule[];
}

/** The rules that calls of a tool may meet. Tools that the same rules match have the very same one. */
export interface ToolRules {
  /** The groups that apply to an agent with these labels, in the order of their policies. */
  groupsFor(labels: Labels): readonly RuleGroup[];
  /** Whether something may be computed more than once for a call unless it is shared. */
  readonly repeats: boolean;
  /** The most steps that rules about agents of all labels may take for one call, as far as schemas bound them. */
  readonly most: number;
  /** Whether a rule asks a question of that id and takes an answer of that type. */
  asks(id: string, type: string): boolean;
}

/** The rules of one policy that have one selector. */
export interface Part {
  readonly policy: CompiledPolicy;
  readonly group: RuleGroup;
}

/** The rules that ask for an answer of one id and type, by number. */
export interface Asking {
  readonly list: number[];
  rules: NumberSet;
}

/** All rules, numbered in the order in which they are judged: policy after policy. */
export interface NumberedRules {
  readonly policies: readonly CompiledPolicy[];
  readonly all: readonly CompiledRule[];
  /** For each rule the place of its policy among all. */
  readonly orders: Uint32Array;
  /** For each policy the number of its first rule; and at the end how many there are. */
  readonly starts: Uint32Array;
  /** Where a call gathers the rules of one policy, which are copied from there at once. */
  readonly gathered: { readonly transforms: CompiledRule[]; readonly others: CompiledRule[] };
}

export interface Indexed {
  readonly rules: NumberedRules;
  /** The labels of all policies. */
  readonly labels: LabelNumbers;
  /** The places of the policies among all, by their labels. */
  readonly byLabels: LabelIndex<number>;
  /** For each selector the numbers of its rules, ascending; and the same rules, by policy. */
  readonly numbers: readonly (readonly number[])[];
  readonly parts: readonly (readonly Part[])[];
  readonly mosts: readonly number[];
  /** Who asks for an answer, by its type and the question's id. */
  readonly asking: Readonly<Record<Question["type"], Pick<WideMap<Asking>, "get">>>;
}

/** What is about one tool. */
interface AboutTool {
  /** The selectors that fit it. */
  readonly fitting: NumberSet;
  /** The numbers of their rules. */
  readonly set: NumberSet;
  readonly isLaidOut: boolean;
}

const fittingAtOnce = 1000;
const gatheredCostMax = 20;
/** Parts that are gathered, or rules that are listed, in the time of one step of compiling. */
const listedPerStep = 50;

export function* toolRules(index: Indexed, { fitting, set, isLaidOut }: AboutTool): Steps<ToolRules> {
  // Most calls bring no answers. One that does may bring thousands, to each of which one look-up must be enough.
  const asks = (id: string, type: string) => {
    const asking = isAsked(type) ? index.asking[type].get(id) : undefined;
    return asking !== undefined && meet(asking.rules, set);
  };
  let most = 0;
  const parts: Part[] = [];
  let cost = 0;
  for (let selector = nextOf(fitting, 0); selector !== noNumber; selector = nextOf(fitting, selector + 1)) {
    most += index.mosts[selector] ?? 0;
    const its = isLaidOut ? (index.parts[selector] ?? []) : [];
    for (const part of its) parts.push(part);
    cost += (isLaidOut ? 1 + its.length : 0.1) / listedPerStep;
    if (cost < gatheredCostMax) continue;
    yield cost;
    cost = 0;
  }
  if (!isLaidOut) return { groupsFor: listedOnCall(index, set), repeats: true, most, asks };
  const groupsFor = yield* laidOut(index, set, yield* sortInSteps(parts, byPolicy));
  const groups: RuleGroup[] = [];
  const policies = new Set<CompiledPolicy>();
  for (const { group, policy } of parts) {
    groups.push(group);
    policies.add(policy);
    yield 1 / fittingAtOnce;
  }
  return { groupsFor, repeats: yield* repeats(groups, [...policies]), most, asks };
}

const byOrder = (one: RuleGroup, other: RuleGroup) => one.order - other.order;
const byPolicy = (one: Part, other: Part) => byOrder(one.group, other.group);

const isAsked = (type: string) => type === "string" || type === "number" || type === "boolean";

/** Of all parts of a tool's rules in the order of their policies. What is the same for several tools is there once. */
function* laidOut({ labels, rules }: Indexed, set: NumberSet, parts: readonly Part[]): Steps<ToolRules["groupsFor"]> {
  const index = newLabelIndex<RuleGroup>();
  for (let from = 0; from < parts.length; ) {
    const { group: first } = parts[from] as Part;
    let to = from + 1;
    while (to < parts.length && parts[to]?.group.order === first.order) to++;
    const group = to === from + 1 ? first : groupAt(rules, set, first.order, rules.starts[first.order] ?? 0);
    addLabelled(index, labels.wanted[first.order] as Wanted, group);
    yield 0.1 + (to - from) / fittingAtOnce + (group === first ? 0 : sizeOf(group) / listedPerStep);
    from = to;
  }
  const { everyones, labelled } = index;
  if (!labelled) return () => everyones;
  return (agentLabels) => {
    let found: RuleGroup[] | undefined;
    eachLabelled(index, labels, agentLabels, (group) => {
      if (found) found.push(group);
      else found = [...everyones, group];
    });
    return found ? found.sort(byOrder) : everyones;
  };
}

const sizeOf = ({ transforms, others }: RuleGroup) => transforms.length + others.length;

/** Rules have their numbers in order, so that nothing is compared: for ten thousand rules that took ten milliseconds. */
function listedOnCall({ rules, labels, byLabels }: Indexed, set: NumberSet): ToolRules["groupsFor"] {
  const { orders, policies, starts } = rules;
  return (agentLabels) => {
    const applying = byLabels.labelled && applyingTo(agentLabels, labels, byLabels, policies.length);
    const groups: RuleGroup[] = [];
    for (let number = nextOf(set, 0); number !== noNumber; ) {
      const order = orders[number] ?? 0;
      if (!applying || applying[order] === 1) groups.push(groupOnCall(rules, set, order, number));
      number = nextOf(set, starts[order + 1] ?? noNumber);
    }
    return groups;
  };
}

/** For each policy whether it is one for agents that carry these labels. */
function applyingTo(labels: Labels, numbers: LabelNumbers, byLabels: LabelIndex<number>, count: number): Uint8Array {
  const applying = new Uint8Array(count);
  for (const order of byLabels.everyones) applying[order] = 1;
  eachLabelled(byLabels, numbers, labels, (order) => {
    applying[order] = 1;
  });
  return applying;
}

/** Those rules of a policy whose numbers are in the set, from one number on. */
function groupAt({ policies, starts, all }: NumberedRules, set: NumberSet, order: number, from: number): RuleGroup {
  const end = starts[order + 1] ?? 0;
  let transforms = noRules;
  let others = noRules;
  for (let number = nextOf(set, from); number < end; number = nextOf(set, number + 1)) {
    const rule = all[number] as CompiledRule;
    if (rule.effect === "transform") transforms = added(transforms, rule);
    else others = added(others, rule);
  }
  const { observed, variableCount } = policies[order] as CompiledPolicy;
  return { order, observed, variableCount, transforms, others };
}

/**
 * The same, of what is left when the call is over. The machine notes for each place in the code whether what it makes
 * stays, and lays such out among the old at once, where a short collection does not find it: so nothing here is made
 * where compiling makes what stays, nor by {@link added}. What is gathered is copied to a list of just its length.
 */
function groupOnCall(
  { policies, starts, all, gathered }: NumberedRules,
  set: NumberSet,
  order: number,
  from: number,
): RuleGroup {
  const end = starts[order + 1] ?? 0;
  let [transformCount, otherCount] = [0, 0];
  for (let number = nextOf(set, from); number < end; number = nextOf(set, number + 1)) {
    const rule = all[number] as CompiledRule;
    if (rule.effect === "transform") gathered.transforms[transformCount++] = rule;
    else gathered.others[otherCount++] = rule;
  }
  const { observed, variableCount } = policies[order] as CompiledPolicy;
  const transforms = transformCount === 0 ? noRules : gathered.transforms.slice(0, transformCount);
  const others = otherCount === 0 ? noRules : gathered.others.slice(0, otherCount);
  return { order, observed, variableCount, transforms, others };
}

// Nothing is ever written to it.
const noRules: CompiledRule[] = [];

/** A group of these rules of a policy, in their order. */
export function groupOf(policy: CompiledPolicy, order: number, rules: readonly CompiledRule[]): RuleGroup {
  const { observed, variableCount } = policy;
  const transforms = rules.filter(({ effect }) => effect === "transform");
  const others = transforms.length === 0 ? rules : rules.filter(({ effect }) => effect !== "transform");
  return { order, observed, variableCount, transforms: transforms.length === 0 ? noRules : transforms, others };
}
