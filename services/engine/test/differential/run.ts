import { isDeepStrictEqual } from "node:util";
import { finish } from "../../src/compile/steps.ts";
import { type Compiled, compile, evaluate, type Facts, formatProblem, type Verdict } from "../../src/index.ts";
import { evaluateInSteps } from "../../src/judge/evaluate.ts";
import type { NaiveVerdict } from "../naive/combined.ts";
import type { Flaw } from "../naive/flaws.ts";
import { naively, type World } from "../naive.ts";
import { schemaDigest } from "../sample.ts";
import { randomFacts } from "./calls.ts";
import { differences } from "./compare.ts";
import { randomFrom, seedOf } from "./random.ts";
import { randomWorld } from "./worlds.ts";

/** A call that two evaluators judge differently. */
export interface Difference {
  readonly world: World;
  readonly facts: Facts;
  readonly differs: readonly string[];
  readonly engine: Verdict;
  readonly naive: NaiveVerdict;
}

/** What a run has seen. */
export interface Tally {
  cases: number;
  worlds: number;
  /** Worlds that the engine would not compile. */
  rejected: number;
  /** Cases in which a rule was unknown. */
  unknown: number;
  would: number;
  readonly codes: Map<string, number>;
}

export function newTally(): Tally {
  return { cases: 0, worlds: 0, rejected: 0, unknown: 0, would: 0, codes: new Map() };
}

/** Compiles a world; what is wrong with it, in words, where the engine refuses it. */
export function compiledWorld({ policies, tools }: World): Compiled | string {
  const { compiled, problems } = compile({ policies, tools, schemaDigest });
  return compiled ?? problems.map(formatProblem).join("\n");
}

/** One call judged twice, and by the engine once more, some rules at a time. */
export function differenceOf(compiled: Compiled, world: World, facts: Facts, flaw?: Flaw): Difference | undefined {
  return compared(compiled, world, facts, evaluate(compiled, facts), naively(world, flaw)(facts));
}

function compared(
  compiled: Compiled,
  world: World,
  facts: Facts,
  engine: Verdict,
  naive: NaiveVerdict,
): Difference | undefined {
  const inSteps = finish(evaluateInSteps(compiled, facts));
  const differs = [
    ...differences(engine, naive),
    ...(isDeepStrictEqual(inSteps, engine) ? [] : ["what it is judged in steps"]),
  ];
  return differs.length === 0 ? undefined : { world, facts, differs, engine, naive };
}

export interface Run {
  readonly seed: number;
  /** The number of the first world. */
  readonly from: number;
  readonly worlds: number;
  readonly callsPerWorld: number;
  readonly flaw?: Flaw;
}

/** Judges random calls of random worlds twice; ends with the first difference. */
export function differential({ seed, from, worlds, callsPerWorld, flaw }: Run, tally: Tally): Difference | undefined {
  for (let index = from; index < from + worlds; index++) {
    const random = randomFrom(seedOf(seed, index));
    const world = randomWorld(random);
    const compiled = compiledWorld(world);
    tally.worlds++;
    if (typeof compiled === "string") {
      tally.rejected++;
      continue;
    }
    const naive = naively(world, flaw);
    for (let call = 0; call < callsPerWorld; call++) {
      const facts = randomFacts(random, world);
      const verdict = evaluate(compiled, facts);
      const difference = compared(compiled, world, facts, verdict, naive(facts));
      tally.cases++;
      if (difference) return difference;
      note(tally, verdict);
    }
  }
  return undefined;
}

/** How many cases it takes to find each mistake; none for one that was not found. */
export function casesToFind(
  flaws: readonly Flaw[],
  { seed, from, worlds, callsPerWorld }: Omit<Run, "flaw">,
): Map<Flaw, number> {
  const found = new Map<Flaw, number>();
  let cases = 0;
  for (let index = from; index < from + worlds && found.size < flaws.length; index++) {
    const random = randomFrom(seedOf(seed, index));
    const world = randomWorld(random);
    const compiled = compiledWorld(world);
    if (typeof compiled === "string") continue;
    const wrong = flaws.filter((flaw) => !found.has(flaw)).map((flaw) => ({ flaw, judge: naively(world, flaw) }));
    for (let call = 0; call < callsPerWorld; call++) {
      const facts = randomFacts(random, world);
      const verdict = evaluate(compiled, facts);
      cases++;
      for (const { flaw, judge } of wrong) {
        if (!found.has(flaw) && differences(verdict, judge(facts)).length > 0) found.set(flaw, cases);
      }
    }
  }
  return found;
}

function note(tally: Tally, { effect, code, unknowns, would }: Verdict): void {
  const key = `${effect} ${code}`;
  tally.codes.set(key, (tally.codes.get(key) ?? 0) + 1);
  if (unknowns.length > 0) tally.unknown++;
  if (would) tally.would++;
}
