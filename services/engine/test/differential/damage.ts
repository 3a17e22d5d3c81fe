import type { Facts, JsonObject, JsonValue } from "../../src/index.ts";
import type { World } from "../naive.ts";
import { randomFacts } from "./calls.ts";
import { fields, properInput } from "./fields.ts";
import type { Random } from "./random.ts";

/** Facts of a call in which everything is there and of its type; the values may be odd all the same. */
export function properFacts(random: Random, world: World): Facts {
  const facts = randomFacts(random, world);
  const { schemaDigest: _, ...call } = facts.call;
  // Conditions take it for a text: compared with one, a number is unknown, and a damage could mend that.
  const answers = typeof facts.answers.memo === "number" ? {} : facts.answers;
  return { ...facts, call, answers, input: properInput(random, Object.keys(fields)), context: { user: "mia" } };
}

/** Values of every type of JSON. */
const others: readonly JsonValue[] = ["odd", 5, -2.5, true, false, null, [], ["odd"], [5], {}, { odd: 1 }];

const typeOf = (value: JsonValue) => (value === null ? "null" : Array.isArray(value) ? "list" : typeof value);

/** A copy in which one part is gone, or is of another type. Items of lists are not taken away: that moves the others. */
function worse(random: Random, value: JsonObject): JsonObject {
  const key = random.pick(Object.keys(value));
  const at = value[key] ?? null;
  const inner = typeof at === "object" && at !== null && random.chance(0.5) ? worseInside(random, at) : undefined;
  if (inner !== undefined) return { ...value, [key]: inner };
  if (random.chance(0.4)) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key]: retyped(random, at) };
}

function worseInside(random: Random, value: JsonValue): JsonValue | undefined {
  if (Array.isArray(value)) {
    const at = random.below(value.length);
    return value.length === 0 ? undefined : value.with(at, retyped(random, (value[at] ?? null) as JsonValue));
  }
  return Object.keys(value as JsonObject).length === 0 ? undefined : worse(random, value as JsonObject);
}

function retyped(random: Random, value: JsonValue): JsonValue {
  return random.pick(others.filter((other) => typeOf(other) !== typeOf(value)));
}

/** The same call with one fact gone, of another type, or unreadable. */
export function damagedFacts(random: Random, facts: Facts, world: World): Facts {
  const labelled = world.policies.some(({ document }) => document.spec.appliesTo);
  return random.way<Facts>([
    [10, () => ({ ...facts, input: worse(random, facts.input) })],
    [1, () => ({ ...facts, context: worse(random, { ...facts.context }) })],
    [1, () => ({ ...facts, now: random.pick(["yesterday", "", "2026-13-40T00:00:00Z"]) })],
    [1, () => ({ ...facts, session: gone(facts.session, random.pick(["calls", "depth", "purpose", "ageSeconds"])) })],
    [1, () => ({ ...facts, session: { ...facts.session, labels: {} } })],
    [1, () => ({ ...facts, principal: gone(facts.principal, random.pick(["id", "verified"])) })],
    [1, () => ({ ...facts, caller: gone(facts.caller, "name") })],
    [1, () => ({ ...facts, agent: gone(facts.agent, random.pick(["id", "owner"])) })],
    // Without its labels an agent is another: a policy for those labels is not there for it.
    [labelled ? 0 : 1, () => ({ ...facts, agent: { ...facts.agent, labels: {} } })],
    [1, () => ({ ...facts, session: { ...facts.session, purpose: 5 as unknown as string } })],
    [1, () => ({ ...facts, principal: { ...facts.principal, verified: "yes" as unknown as boolean } })],
    [0.5, () => ({ ...facts, agent: gone(facts.agent, "score") })],
    [0.5, () => ({ ...facts, budget: {} })],
    [1, () => ({ ...facts, answers: {} })],
    [1, () => ({ ...facts, granted: (facts.granted ?? []).slice(1) })],
    [0.5, () => ({ ...facts, supportedConstraints: facts.supportedConstraints.slice(1) })],
  ]);
}

function without(value: object, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}

function gone<T extends object>(value: T, name: string): T {
  return without(value, name) as unknown as T;
}
