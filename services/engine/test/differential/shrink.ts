import type { RuleDocument } from "../../src/documents/policy.ts";
import type { Facts, PolicyDocument } from "../../src/index.ts";
import type { Flaw } from "../naive/flaws.ts";
import type { World } from "../naive.ts";
import { compiledWorld, type Difference, differenceOf } from "./run.ts";

const roundsMax = 200;

/** A smaller case that still differs, found by leaving out part after part. */
export function shrunk(difference: Difference, flaw?: Flaw): Difference {
  let smallest = difference;
  for (let round = 0; round < roundsMax; round++) {
    const smaller = firstThatDiffers(smallest, flaw);
    if (!smaller) return smallest;
    smallest = smaller;
  }
  return smallest;
}

function firstThatDiffers({ world, facts }: Difference, flaw: Flaw | undefined): Difference | undefined {
  for (const candidate of [...smallerWorlds(world), world]) {
    const compiled = compiledWorld(candidate);
    if (typeof compiled === "string") continue;
    if (candidate !== world) {
      const found = differenceOf(compiled, candidate, facts, flaw);
      if (found) return found;
      continue;
    }
    for (const fewer of smallerFacts(facts)) {
      const found = differenceOf(compiled, candidate, fewer, flaw);
      if (found) return found;
    }
  }
  return undefined;
}

/** Every list that lacks one item. */
function without<T>(items: readonly T[]): T[][] {
  return items.map((_, index) => items.toSpliced(index, 1));
}

function* smallerWorlds(world: World): Generator<World> {
  for (const policies of without(world.policies)) yield { ...world, policies };
  for (const tools of without(world.tools)) yield { ...world, tools };
  for (const [at, placed] of world.policies.entries()) {
    for (const document of smallerPolicies(placed.document)) {
      yield { ...world, policies: world.policies.with(at, { ...placed, document }) };
    }
  }
}

function* smallerPolicies(policy: PolicyDocument): Generator<PolicyDocument> {
  const { spec } = policy;
  if (spec.rules.length > 1) for (const rules of without(spec.rules)) yield { ...policy, spec: { ...spec, rules } };
  for (const key of ["variables", "appliesTo"] as const) {
    const { [key]: left, ...rest } = spec;
    if (left) yield { ...policy, spec: rest as PolicyDocument["spec"] };
  }
  for (const [at, rule] of spec.rules.entries()) {
    for (const smaller of smallerRules(rule))
      yield { ...policy, spec: { ...spec, rules: spec.rules.with(at, smaller) } };
  }
}

function* smallerRules(rule: RuleDocument): Generator<RuleDocument> {
  for (const key of ["when", "unless", "constraints", "message", "remedy"] as const) {
    const { [key]: left, ...rest } = rule;
    if (left !== undefined) yield rest;
  }
  for (const key of ["when", "unless"] as const) {
    const texts = rule[key] ?? [];
    if (texts.length > 1) for (const fewer of without(texts)) yield { ...rule, [key]: fewer };
    for (const [at, text] of texts.entries()) {
      for (const part of partsOf(text)) yield { ...rule, [key]: texts.with(at, part) };
    }
  }
}

/** The parts of a condition that stand in parentheses, and what stands beside them. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") open.push(at);
    const from = text[at] === ")" ? open.pop() : undefined;
    if (from !== undefined && at > from + 1) parts.push(text.slice(from + 1, at));
  }
  const sides = text.split(/ (?:&&|\|\||\?|:) /);
  return [...parts, ...(sides.length > 1 ? sides : [])].filter((part) => part.length < text.length);
}

function* smallerFacts(facts: Facts): Generator<Facts> {
  for (const key of ["input", "context", "answers"] as const) {
    for (const name of Object.keys(facts[key])) {
      const { [name]: _, ...rest } = facts[key];
      yield { ...facts, [key]: rest };
    }
  }
  if (facts.granted && facts.granted.length > 0) yield { ...facts, granted: [] };
}
