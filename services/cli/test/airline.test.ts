import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  compile,
  evaluate,
  type Facts,
  formatProblem,
  type JsonObject,
  type JsonValue,
  parseDocuments,
  runPolicyTests,
  type Scope,
  type Verdict,
} from "@remit/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { readTrace } from "../src/trace/trace-file.ts";
import type { TracedCall } from "../src/trace/trace-line.ts";

const example = join(import.meta.dirname, "../examples/airline");
const logPath = join(import.meta.dirname, "../../../../shared/data/airline-agent-calls.jsonl");

function source(name: string) {
  return { file: name, text: readFileSync(join(example, name), "utf8") };
}

const { documents, problems } = parseDocuments([source("airline.yaml")]);
const policies = documents.policies.map((document) => ({ document, version: 1 }));
const { compiled, problems: compileProblems } = compile({ policies, tools: documents.tools }, { strict: true });

interface Asked {
  readonly tool: string;
  readonly input: JsonObject;
  readonly context: JsonObject;
  readonly principal: string;
}

function decide({ tool, input, context, principal }: Asked, scope?: Scope): Verdict {
  if (!compiled) throw new Error("the airline's documents do not compile");
  const [agent] = documents.agents;
  if (!agent) throw new Error("the airline's documents bring no agent");
  const facts: Facts = {
    input,
    context,
    answers: {},
    call: { tool, estimate: [], attempt: 1 },
    agent: { id: agent.metadata.name, labels: agent.spec.labels ?? {}, owner: "" },
    principal: { id: principal, verified: false, labels: {} },
    session: { id: "session", labels: {}, depth: 0, purpose: "", ageSeconds: 0, calls: 0 },
    caller: { id: "caller", name: "caller" },
    now: "2026-01-01T00:00:00Z",
    scopes: [agent.spec.ceiling, ...(scope ? [scope] : [])],
    mode: "enforce",
    supportedConstraints: [],
  };
  return evaluate(compiled, facts);
}

const ruleNames = (verdict: Verdict) => verdict.rules.map(({ rule }) => rule);

test("the documents have no problems, warnings included", () => {
  expect([...problems, ...compileProblems].map(formatProblem)).toEqual([]);
});

test("the policy's own tests pass", () => {
  expect(runPolicyTests([source("airline_test.yaml")], documents)).toMatchObject({ passed: 92, failed: [] });
});

test("no rule can be left out without a test of the policy failing", () => {
  // Schemas take long to compile and have no part in this.
  const tools = documents.tools.map((tool) => ({ ...tool, spec: { server: "airline", risk: tool.spec.risk } }));
  const tests = [source("airline_test.yaml")];
  const idle = documents.policies.flatMap((policy) =>
    policy.spec.rules.filter((left) => {
      const rules = policy.spec.rules.filter((rule) => rule !== left);
      const without = [{ ...policy, spec: { ...policy.spec, rules } }];
      return runPolicyTests(tests, { ...documents, tools, policies: without }).failed.length === 0;
    }),
  );
  expect(idle.map(({ id }) => id)).toEqual([]);
});

/** Checked by hand against the airline's stated rules: which lines of the log break which. */
const brokenBy: Readonly<Record<string, readonly number[]>> = {
  "booking-payment-mix": [288, 355, 357, 359, 866, 868],
  "basic-economy-keeps-its-flights": [85, 86, 89, 90, 91, 92, 93, 135, 436, 673, 675, 676, 707, 946, 947, 948, 949],
  "itinerary-keeps-its-ends": [58, 85, 86, 90, 92, 93, 398, 676, 923, 948, 949],
  "change-paid-by-gift-or-credit-card": [34, 157, 423, 425, 444, 742, 995, 1013],
  "cancel-needs-a-ground": [147, 241, 263, 454, 462, 500, 517, 528, 534, 727, 770, 787, 840, 1072, 1111, 1160],
  "never-cancel-once-flying": [
    155, 163, 180, 464, 474, 489, 490, 501, 528, 737, 748, 761, 771, 856, 1038, 1047, 1063, 1073,
  ],
};

interface Decided {
  readonly line: number;
  readonly asked: Asked;
  readonly verdict: Verdict;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function readLog(): Promise<TracedCall[]> {
  if (!existsSync(logPath)) throw new Error(`the log of real calls is not there: ${logPath}`);
  const calls: TracedCall[] = [];
  for await (const call of readTrace(logPath)) {
    if ("message" in call) throw new Error(`line ${call.line}: ${call.message}`);
    calls.push(call);
  }
  return calls;
}

/** One session a run, for the user that the first call of the run names that names one. */
function decideAll(calls: readonly TracedCall[]): Decided[] {
  const principals = new Map<string, string>();
  const userOf = ({ context }: TracedCall) => (context.user as { id: string } | undefined)?.id;
  for (const call of calls) {
    const user = userOf(call);
    if (user !== undefined && !principals.has(call.run)) principals.set(call.run, user);
  }
  return calls.map(({ line, run, tool, input, context }) => {
    const principal = principals.get(run) ?? "unknown";
    const asked: Asked = { tool, input: input as JsonObject, context: context as JsonObject, principal };
    return { line, asked, verdict: decide(asked) };
  });
}

/** Every copy of a value that lacks one key, however deep. */
function lackingOneKey(value: JsonValue): JsonValue[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: JsonValue, at) => lackingOneKey(item).map((less) => value.with(at, less)));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as JsonObject).flatMap(([key, inner]) => {
    const { [key]: _, ...rest } = value as JsonObject;
    return [rest, ...lackingOneKey(inner).map((less) => ({ ...rest, [key]: less }))];
  });
}

describe("the log of 1,164 real calls", () => {
  let decided: Decided[] = [];
  beforeAll(async () => {
    decided = decideAll(await readLog());
  });
  const stopped = () => decided.filter(({ verdict }) => verdict.effect !== "allow");

  test("exactly the writes that break a rule are stopped", () => {
    expect(decided.length).toBe(1164);
    const lines = [...new Set(Object.values(brokenBy).flat())].sort((one, other) => one - other);
    expect(lines.length).toBe(67);
    expect(stopped().map(({ line }) => line)).toEqual(lines);
    expect(new Set(stopped().map(({ verdict }) => `${verdict.effect} ${verdict.code}`))).toEqual(
      new Set(["deny rule_denied"]),
    );
  });

  test("each is stopped by the rules it breaks and no other", () => {
    const named: Record<string, number[]> = {};
    for (const { line, verdict } of stopped()) {
      for (const rule of ruleNames(verdict)) named[rule] = [...(named[rule] ?? []), line];
    }
    expect(named).toEqual(brokenBy);
  });

  test("no condition is unknown on any call", () => {
    expect(decided.flatMap(({ line, verdict }) => verdict.unknowns.map(({ why }) => `line ${line}: ${why}`))).toEqual(
      [],
    );
  });

  test("the counts by tool are those of the stated rules", () => {
    expect(counted(stopped().map(({ asked }) => asked.tool))).toEqual({
      book_reservation: 6,
      cancel_reservation: 33,
      update_reservation_flights: 28,
    });
    const allowed = decided.filter(({ verdict }) => verdict.effect === "allow");
    expect(counted(allowed.flatMap(({ verdict }) => ruleNames(verdict)))).toEqual({
      "reads-are-free": 914,
      "book-and-compensate-for-the-session-user": 55,
      "change-a-reservation-of-the-session-user": 128,
    });
  });

  test("a stopped call stays stopped whatever one fact is lost", () => {
    const passed = stopped().flatMap(({ line, asked }) => {
      const poorer = lackingOneKey(asked.context) as JsonObject[];
      expect(poorer.length).toBeGreaterThan(10);
      return poorer.filter((context) => decide({ ...asked, context }).effect !== "deny").map(() => line);
    });
    expect(passed).toEqual([]);
  });

  test("one line of a session's scope holds it to its user, whatever its policy says", () => {
    const serving: Scope = {
      tools: ["get_user_details", "book_reservation", "send_certificate"],
      bounds: [{ tool: "*", path: "input.user_id", equals: "principal.id" }],
    };
    const named = decided.filter(({ asked }) => serving.tools.includes(asked.tool));
    expect(named.length).toBeGreaterThan(150);
    const codes = (principal?: string) =>
      counted(named.map(({ asked }) => decide({ ...asked, ...(principal && { principal }) }, serving).code));
    const { scope_exceeded: beyond, ...within } = codes();
    expect({ beyond, ...within }).toEqual({ beyond: undefined, rule_allowed: named.length - 6, rule_denied: 6 });
    expect(codes("somebody else")).toEqual({ scope_exceeded: named.length });
  });

  test("no write passes without any facts, and none for another user", () => {
    const writes = decided.filter(({ verdict }) => !ruleNames(verdict).includes("reads-are-free"));
    expect(writes.length).toBe(250);
    expect(writes.filter(({ asked }) => decide({ ...asked, context: {} }).effect !== "deny")).toEqual([]);
    const others = writes.map(({ asked }) => ruleNames(decide({ ...asked, principal: "somebody else" })));
    expect(others.filter((rules) => !rules.includes("one-session-one-user"))).toEqual([]);
  });
});

describe("a session that turns to a second user", () => {
  const user = (id: string) => ({
    id,
    membership: "gold",
    payment_methods: { [`card-of-${id}`]: "credit_card" },
    has_insured_reservation: true,
    has_business_reservation: true,
  });
  const reservation = (id: string, owner: string) => ({
    id,
    user_id: owner,
    cabin: "business",
    flights: [],
    insured: true,
  });
  const now = "2026-03-02T12:00:00Z";
  const principal = "ines";
  const cancel = (owner: string): Asked => ({
    tool: "cancel_reservation",
    input: { reservation_id: "NB0007" },
    context: { now, user: user(owner), reservation: { ...reservation("NB0007", owner), created_at: now } },
    principal,
  });
  const look = (id: string): Asked => ({
    tool: "get_user_details",
    input: { user_id: id },
    context: { now, user: user(id) },
    principal,
  });
  const compensate = (id: string): Asked => ({
    ...look(id),
    tool: "send_certificate",
    input: { user_id: id, amount: 50 },
  });
  const open = (owner: string): Asked => ({ ...cancel(owner), tool: "get_reservation_details" });

  test.each([look, open, cancel, compensate])("is stopped there, and only there", (ask) => {
    expect(decide(ask("ines")).effect).toBe("allow");
    const turned = decide(ask("otto"));
    expect([turned.effect, turned.code, ...ruleNames(turned)]).toEqual(["deny", "rule_denied", "one-session-one-user"]);
    expect(decide(ask("ines")).effect).toBe("allow");
  });
});
