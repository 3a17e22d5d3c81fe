import { added } from "../added.ts";
import type { ToolFacts } from "../cel/frame.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import { type LabelNode, type Labels, labelNode, newLabelNode, rarestFirst, walkLabels } from "./label-tree.ts";
import type { CompiledRule } from "./rule.ts";
import { indexSelectors, type Selectors } from "./selectors.ts";
import { repeats, type SharedRules, shareConditions } from "./shared.ts";
import { type Steps, sortInSteps } from "./steps.ts";

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

/** The rules of all policies, found by tool. It depends on the policies alone, so it outlives a change of the tools. */
export interface RuleIndex {
  rulesFor(tool: ToolFacts): Steps<ToolRules>;
}

/** The rules of one policy that have one selector, with their places in the policy. */
interface Part {
  readonly policy: CompiledPolicy;
  /** All of the policy. */
  readonly rules: readonly CompiledRule[];
  readonly order: number;
  readonly places: readonly number[];
  readonly group: RuleGroup;
}

/** Parts in the order of their policies, and their groups. */
interface Parts {
  readonly parts: Part[];
  readonly groups: RuleGroup[];
}

/** The parts under one node of the labels, by selector. */
type NodeParts = Map<number, Parts>;

interface Indexed {
  readonly selectors: Selectors;
  /** Every policy's labels, in the order of the tree. */
  readonly labels: readonly (readonly (readonly [string, string])[])[];
  /** For each selector, its rules in the order of the policies. */
  readonly parts: readonly (readonly Part[])[];
  readonly ruleCounts: readonly number[];
  readonly mosts: readonly number[];
  /** Types by id; absent where nothing is asked. */
  readonly questions: readonly (ReadonlyMap<string, ReadonlySet<string>> | undefined)[];
  readonly tree: LabelNode<NodeParts>;
}

/**
 * How many rules are laid out beforehand, merged and in order: of one tool always, and of all tools that have more. Past
 * that the rules of a tool are merged for each call, those alone that its agent's labels leave: laid out for every tool
 * they would take the product of rules and tools.
 */
export interface LaidOutMax {
  readonly ofOne: number;
  readonly ofAll: number;
}

export function* indexRules(policies: readonly CompiledPolicy[], laidOutMax?: LaidOutMax): Steps<RuleIndex> {
  const selectors = yield* indexSelectors(matchesOf(policies));
  const index = yield* partsOf(policies, selectors, yield* shareConditions(policies));
  const known = new Map<string, ToolRules>();
  const { ofOne, ofAll } = laidOutMax ?? { ofOne: 64, ofAll: 100_000 + 4 * sumOf(index.ruleCounts) };
  let room = ofAll;
  return {
    *rulesFor(tool) {
      const fitting = yield* index.selectors.fitting(tool);
      let key = "";
      let count = 0;
      for (let from = 0; from < fitting.length; from += fittingAtOnce) {
        const some = fitting.slice(from, from + fittingAtOnce);
        key += `${some.join()},`;
        for (const selector of some) count += index.ruleCounts[selector] ?? 0;
        if (some.length === fittingAtOnce) yield fittingAtOnce / 50;
      }
      const there = known.get(key);
      if (there) return there;
      const fits = count <= ofOne || count <= room;
      if (fits && count > ofOne) room -= count;
      const made = yield* toolRules(index, fitting, fits);
      known.set(key, made);
      return made;
    },
  };
}

function* matchesOf(policies: readonly CompiledPolicy[]): Generator<readonly [string, MatchDocument]> {
  for (const { rules } of policies) for (const { key, match } of rules) yield [key, match];
}

const fittingAtOnce = 1000;
/** Rules that are indexed, or laid out for a tool, in the time of one step of compiling. */
const rulesPerStep = 20;
const mergedPerStep = 50;

function* partsOf(policies: readonly CompiledPolicy[], selectors: Selectors, shared: SharedRules): Steps<Indexed> {
  const parts = new Array<Part[]>(selectors.count).fill(noParts);
  const ruleCounts = new Array<number>(selectors.count).fill(0);
  const mosts = new Array<number>(selectors.count).fill(0);
  const questions = new Array<Map<string, Set<string>> | undefined>(selectors.count).fill(undefined);
  const tree = newLabelNode<NodeParts>();
  const labels = rarestFirst(policies.map((policy) => policy.labels));
  for (const [order, policy] of policies.entries()) {
    const places = new Map<number, number[]>();
    for (const [place, { key, rule, most }] of policy.rules.entries()) {
      const selector = selectors.numberOf(key);
      append(places, selector, place);
      ruleCounts[selector] = (ruleCounts[selector] ?? 0) + 1;
      // Of policies for some agents nobody knows here which of them meet.
      if (policy.labels.length === 0) mosts[selector] = (mosts[selector] ?? 0) + most;
      for (const { id, type } of rule.questions) {
        const asked = questions[selector] ?? new Map<string, Set<string>>();
        questions[selector] = asked;
        addTo(asked, id, type);
      }
      yield 1 / rulesPerStep;
    }
    const ofLabels = labelNode(tree, labels[order] ?? []);
    const [node = new Map<number, Parts>()] = ofLabels.items;
    if (ofLabels.items.length === 0) ofLabels.items = [node];
    for (const [selector, ofSelector] of places) {
      const rules = shared[order] ?? [];
      const part = { policy, rules, order, places: ofSelector, group: groupOf({ policy, rules, order }, ofSelector) };
      parts[selector] = added(parts[selector] ?? noParts, part);
      const there = node.get(selector);
      there?.parts.push(part);
      there?.groups.push(part.group);
      if (!there) node.set(selector, { parts: [part], groups: [part.group] });
      yield ofSelector.length / rulesPerStep;
    }
    yield 1;
  }
  return { selectors, labels, parts, ruleCounts, mosts, questions, tree };
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const there = lists.get(key);
  if (there) there.push(item);
  else lists.set(key, [item]);
}

function addTo(questions: Map<string, Set<string>>, id: string, type: string): void {
  questions.set(id, (questions.get(id) ?? new Set()).add(type));
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

function* toolRules(index: Indexed, selectors: readonly number[], isLaidOut: boolean): Steps<ToolRules> {
  // Put together once a call brings answers: it may bring thousands, to each of which one look-up must be enough.
  let asked: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  const asks = (id: string, type: string) => {
    asked ??= askedBy(index, selectors);
    return asked.get(id)?.has(type) ?? false;
  };
  let most = 0;
  const parts: Part[] = [];
  for (const selector of selectors) {
    most += index.mosts[selector] ?? 0;
    if (!isLaidOut) continue;
    const its = index.parts[selector] ?? [];
    for (const part of its) parts.push(part);
    if (selectors.length > fittingAtOnce) yield (1 + its.length) / mergedPerStep;
  }
  if (!isLaidOut) return { groupsFor: mergedOnCall(index, selectors), repeats: true, most, asks };
  const groupsFor = yield* laidOut(index, yield* sortInSteps(parts, byOrder));
  const groups: RuleGroup[] = [];
  const policies = new Set<CompiledPolicy>();
  for (const { group, policy } of parts) {
    groups.push(group);
    policies.add(policy);
    yield 1 / fittingAtOnce;
  }
  return { groupsFor, repeats: yield* repeats(groups, [...policies]), most, asks };
}

/** The questions of all rules with these selectors: types by id. */
function askedBy({ questions }: Indexed, selectors: readonly number[]): Map<string, Set<string>> {
  const asked = new Map<string, Set<string>>();
  for (const selector of selectors) {
    for (const [id, types] of questions[selector] ?? []) for (const type of types) addTo(asked, id, type);
  }
  return asked;
}

const byOrder = (one: { readonly order: number }, other: { readonly order: number }) => one.order - other.order;

/** Of parts in the order of their policies. */
function* laidOut({ labels }: Indexed, parts: readonly Part[]): Steps<ToolRules["groupsFor"]> {
  const root = newLabelNode<RuleGroup>();
  for (let from = 0; from < parts.length; ) {
    const order = parts[from]?.order;
    let to = from + 1;
    while (to < parts.length && parts[to]?.order === order) to++;
    const ofPolicy = parts.slice(from, to);
    yield ofPolicy.length / fittingAtOnce;
    from = to;
    const group = mergedGroup(ofPolicy);
    const node = labelNode(root, labels[group.order] ?? []);
    node.items = added(node.items, group);
    yield 0.1 + (ofPolicy.length === 1 ? 0 : (group.transforms.length + group.others.length) / mergedPerStep);
  }
  if (!root.children) return () => root.items;
  return (agentLabels) => {
    let found: readonly RuleGroup[] = none;
    walkLabels(root, agentLabels, (groups) => {
      found = found === none ? groups : [...found, ...groups].sort(byOrder);
    });
    return found;
  };
}

const none: readonly RuleGroup[] = [];
// Nothing is ever written to these.
const noParts: Part[] = [];
const noRules: CompiledRule[] = [];

function mergedOnCall({ tree }: Indexed, selectors: readonly number[]): ToolRules["groupsFor"] {
  const ofTool = new Set(selectors);
  return (agentLabels) => {
    const found: Parts[] = [];
    walkLabels(tree, agentLabels, ([node]) => {
      if (!node) return;
      if (node.size < selectors.length) {
        for (const [selector, parts] of node) if (ofTool.has(selector)) found.push(parts);
      } else {
        for (const selector of selectors) {
          const parts = node.get(selector);
          if (parts) found.push(parts);
        }
      }
    });
    const [first, ...others] = found;
    if (!first) return none;
    return others.length === 0 ? first.groups : merged(found.flatMap(({ parts }) => parts));
  };
}

/** The groups of some parts, one a policy, in the order of the policies, each with its rules in theirs. */
function merged(parts: readonly Part[]): RuleGroup[] {
  return byPolicy(parts).map(mergedGroup);
}

/** The parts of each policy, in the order of the policies. */
function byPolicy(parts: readonly Part[]): Part[][] {
  const all: Part[][] = [];
  for (const part of [...parts].sort(byOrder)) {
    const last = all.at(-1);
    if (last?.[0]?.order === part.order) last.push(part);
    else all.push([part]);
  }
  return all;
}

function mergedGroup(parts: readonly Part[]): RuleGroup {
  const first = parts[0] as Part;
  return parts.length === 1 ? first.group : groupOf(first, placesOf(parts));
}

function placesOf(parts: readonly Part[]): number[] {
  return parts.flatMap(({ places }) => places).sort((one, other) => one - other);
}

function groupOf(
  { policy, rules, order }: Pick<Part, "policy" | "rules" | "order">,
  places: readonly number[],
): RuleGroup {
  let transforms = noRules;
  let others = noRules;
  for (const place of places) {
    const rule = rules[place];
    if (rule?.effect === "transform") transforms = added(transforms, rule);
    else if (rule) others = added(others, rule);
  }
  const { observed, variableCount } = policy;
  return { order, observed, variableCount, transforms, others };
}
