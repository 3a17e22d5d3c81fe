import { describe, expect, it } from "vitest";
import { evaluate, type Facts, type Verdict } from "../src/index.ts";
import { damagedFacts, properFacts } from "./differential/damage.ts";
import { randomFrom, seedOf } from "./differential/random.ts";
import { compiledWorld } from "./differential/run.ts";
import { randomWorld } from "./differential/worlds.ts";
import type { NaiveVerdict } from "./naive/combined.ts";
import type { Flaw } from "./naive/flaws.ts";
import { naively, type World } from "./naive.ts";

type Judged = Pick<Verdict | NaiveVerdict, "effect" | "code" | "would" | "constraints">;
type Judge = (facts: Facts) => Judged;

const permits = ({ effect }: { readonly effect: string }) => effect === "allow" || effect === "transform";

/** What became freer between two verdicts; undefined if nothing did. */
function freed(before: Judged, after: Judged): string | undefined {
  const [was, is] = [before.would ?? before, after.would ?? after];
  for (const [one, other, what] of [
    [before, after, ""],
    [was, is, "would be "],
  ] as const) {
    const told = `${what}${one.effect} ${one.code} became ${other.effect} ${other.code}`;
    if (permits(other) && !permits(one)) return told;
    if (one.effect === "transform" && other.effect === "allow") return told;
  }
  return permits(after) && before.code !== "observed"
    ? before.constraints.map(lost(after)).find((text) => text)
    : undefined;
}

const lost =
  ({ constraints }: Judged) =>
  (one: Judged["constraints"][number]) => {
    const other = constraints.find(({ name }) => name === one.name);
    if (!other) return `${one.name} is not demanded any more`;
    const [was, is] = [one, other].map((each) =>
      "integer" in each ? each.integer : "durationMs" in each ? each.durationMs : 0,
    );
    return (is ?? 0) > (was ?? 0) ? `${one.name} is weaker` : undefined;
  };

/** Damages random calls in one place each; answers how many were refused before, and what became freer if anything. */
function damaging(seed: number, worlds: number, judgeOf: (world: World) => Judge | undefined) {
  let refused = 0;
  for (let index = 0; index < worlds; index++) {
    const random = randomFrom(seedOf(seed, index));
    const world = randomWorld(random, { strict: true });
    const judge = judgeOf(world);
    if (!judge) continue;
    for (let call = 0; call < 8; call++) {
      const facts = properFacts(random, world);
      const before = judge(facts);
      // A schema speaks of what is there, so a call that it refused may be mended by leaving something out.
      if ((before.would ?? before).code === "input_invalid") continue;
      for (let damage = 0; damage < 12; damage++) {
        const damaged = damagedFacts(random, facts, world);
        const found = freed(before, judge(damaged));
        if (found) return { refused, found: { found, seed, index, world, facts, damaged } };
        if (!permits(before.would ?? before)) refused++;
      }
    }
  }
  return { refused, found: undefined };
}

const engine = (world: World): Judge | undefined => {
  const compiled = compiledWorld(world);
  return typeof compiled === "string" ? undefined : (facts) => evaluate(compiled, facts);
};

describe("whatever the policies, grants, answers, scopes and schemas", { timeout: 120_000 }, () => {
  it("a fact that is missing, of another type or unreadable frees nothing", () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const { refused, found } = damaging(seed, 60, engine);
    expect(JSON.stringify(found)).toBeUndefined();
    expect(refused).toBeGreaterThan(2000);
  });

  it.each<Flaw>([
    "unknown-deny-is-skipped",
    "unknown-allow-matches",
    "unknown-transform-is-ignored",
    "unknown-escalation-is-skipped",
    "unknown-grant-permits",
    "unknown-allow-drops-constraints",
    "not-of-unknown-is-true",
    "missing-argument-is-within-its-bound",
  ])("an evaluator in which %s is caught", (flaw) => {
    expect(damaging(4, 400, (world) => naively(world, flaw)).found).toBeDefined();
  });
});
