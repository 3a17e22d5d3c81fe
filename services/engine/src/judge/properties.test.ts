import { describe, expect, it } from "vitest";
import { randomFacts } from "../../test/differential/calls.ts";
import { randomFrom, seedOf } from "../../test/differential/random.ts";
import { compiledWorld } from "../../test/differential/run.ts";
import { randomWorld } from "../../test/differential/worlds.ts";
import type { World } from "../../test/naive.ts";
import type { RuleDocument } from "../documents/policy.ts";
import { type Compiled, evaluate, type Facts } from "../index.ts";

const seed = Math.floor(Math.random() * 2 ** 32);
const ranks = ["deny", "clarify", "escalate", "transform", "allow"];
const constraints = ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"];

function compiled(world: World): Compiled {
  const result = compiledWorld(world);
  if (typeof result === "string") throw new Error(result);
  return result;
}

/** Some calls of some worlds; `told` names the case. */
function eachCall(worlds: number, visit: (world: World, facts: readonly Facts[], told: string) => void) {
  for (let index = 0; index < worlds; index++) {
    const random = randomFrom(seedOf(seed, index));
    const world = randomWorld(random);
    // Of some thousand worlds one has a condition that the compiler refuses.
    if (typeof compiledWorld(world) === "string") continue;
    visit(
      world,
      random.list(8, 8, () => randomFacts(random, world)),
      `seed ${seed}, world ${index}`,
    );
  }
}

function withPolicy(world: World, rules: readonly RuleDocument[], first = false): World {
  const document = {
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { name: "more" },
    spec: { mode: "enforce", rules },
  } as const;
  const more = { document, version: 1 };
  return { ...world, policies: first ? [more, ...world.policies] : [...world.policies, more] };
}

describe("whatever the policies and the call", { timeout: 60_000 }, () => {
  it("another rule never makes a verdict more permissive, once any rule has matched", () => {
    eachCall(40, (world, facts, told) => {
      const random = randomFrom(seedOf(seed, world.policies.length));
      const extra = randomWorld(random).policies.flatMap(({ document }) =>
        document.spec.variables ? [] : document.spec.rules,
      );
      // A transform makes another input, and what is judged on that is another question.
      const rules = extra
        .filter(({ effect }) => effect !== "transform")
        .map((rule, index) => ({ ...rule, id: `x${index}` }));
      if (rules.length === 0 || typeof compiledWorld(withPolicy(world, rules)) === "string") return;
      const [before, after] = [compiled(world), compiled(withPolicy(world, rules))];
      for (const call of facts) {
        // Whether a client can honour the constraints is asked last: a question may stand before that refusal.
        const asked = { ...call, answers: {}, mode: "enforce", supportedConstraints: constraints } as const;
        const first = evaluate(before, asked);
        // People are not asked about a rule that is unknown while nothing would permit the call.
        const inVain = first.code === "evaluation_error" && first.effect === "deny";
        if (first.code === "no_rule_matched" || inVain) continue;
        const second = evaluate(after, asked);
        expect(ranks.indexOf(second.effect), told).toBeLessThanOrEqual(ranks.indexOf(first.effect));
      }
    });
  });

  it("the same call has the same verdict, and leaves its facts as they were", () => {
    eachCall(40, (world, facts, told) => {
      const rules = compiled(world);
      for (const call of facts) {
        const copy = structuredClone(call);
        expect(evaluate(rules, call), told).toEqual(evaluate(rules, copy));
        expect(call, told).toEqual(copy);
      }
    });
  });

  it("the cost limit, wherever it strikes, frees nothing", () => {
    let struck = 0;
    const schema = {
      type: "object",
      properties: { pad: { type: "array", maxItems: 50_000, items: { type: "number" } } },
    };
    const burn = {
      id: "burn",
      match: { tools: ["*"] },
      effect: "allow",
      when: ["input.pad.exists(x, x < 0.0)"],
    } as const;
    eachCall(12, (world, facts, told) => {
      const tools = world.tools.map((tool) => ({ ...tool, spec: { ...tool.spec, inputSchema: schema } }));
      const rules = compiled(withPolicy({ ...world, tools }, [burn], true));
      const most = mostBefore(rules, {
        ...(facts[0] as Facts),
        call: { ...(facts[0] as Facts).call, tool: tools[0]?.metadata.name ?? "" },
      });
      for (const call of facts) {
        const padded = (length: number) =>
          evaluate(rules, { ...call, input: { ...call.input, pad: new Array(length).fill(0) } });
        const before = padded(0);
        if (before.effect === "allow" || before.effect === "transform") continue;
        for (const less of [0, 2, 5, 9, 14, 20, 40]) {
          const after = padded(Math.max(0, most - less));
          expect(["allow", "transform"], told).not.toContain(after.effect);
          if (after.unknowns.some(({ why }) => why.includes("cost limit"))) struck++;
        }
      }
    });
    expect(struck).toBeGreaterThan(20);
  });
});

/** The longest list that one rule may go through before the evaluation passes its cost limit. */
function mostBefore(rules: Compiled, facts: Facts): number {
  let [fits, tooLong] = [0, 50_000];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    const call = { ...facts.call, estimate: [] };
    const { unknowns } = evaluate(rules, {
      ...facts,
      call: { tool: call.tool, estimate: [], attempt: 1 },
      scopes: [{ tools: ["*"] }],
      context: {},
      input: { ...facts.input, pad: new Array(middle).fill(0) },
    });
    if (unknowns.some(({ rule }) => rule.rule === "burn")) tooLong = middle;
    else fits = middle;
  }
  return fits;
}
