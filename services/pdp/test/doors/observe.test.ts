import { Effect, Mode } from "@remit/proto/common";
import { TenantMode } from "@remit/proto/tenant";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase } from "../support/test-database.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});

afterAll(() => house.close());

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });

async function disposable() {
  const database = await createTestDatabase();
  return { ...database, [Symbol.asyncDispose]: () => database.drop() };
}

/** Registers an agent that says this of itself. */
async function agent(name: string, spec: Record<string, unknown>) {
  const text = JSON.stringify({ apiVersion: "remit/v1", kind: "Agent", metadata: { name }, spec });
  return house.clients.agents.putAgent({ document: { file: `${name}.yaml`, text } }, { headers: owner() });
}

async function tool(name: string, spec: Record<string, unknown>) {
  const text = JSON.stringify({ apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec });
  return house.clients.tools.putTool({ document: { file: `${name}.yaml`, text } }, { headers: owner() });
}

const ask = (callId: string, name: string, input: Record<string, unknown>, more = {}) => ({
  ...{ callId, tool: name, input: { case: "inputObject" as const, value: input as never } },
  supportedConstraints: ["timeout", "maxOutputBytes"],
  ...more,
});

type Headers = Awaited<ReturnType<typeof openSession>>["headers"];

const decide = (headers: Headers, callId: string, name: string, input: Record<string, unknown>, more = {}) =>
  house.clients.decisions.decide(ask(callId, name, input, more), { headers });

/** What stops or changes a call in enforcement: the call, then what is answered. */
const stopped = [
  ["rockets.launch", {}, {}, Effect.DENY, "tool_unknown", []],
  ["payments.transfer", { amount: "many" }, {}, Effect.DENY, "input_invalid", []],
  ["invoices.read", {}, { supportedConstraints: [] }, Effect.DENY, "constraint_unsupported", ["reads"]],
  ["records.delete", {}, {}, Effect.DENY, "no_rule_matched", []],
  ["payments.transfer", { amount: 20_000 }, {}, Effect.DENY, "rule_denied", ["never-that-much"]],
  ["payments.transfer", { amount: 501 }, {}, Effect.ESCALATE, "approval_required", ["large-transfers"]],
  ["payments.transfer", { amount: 13 }, {}, Effect.CLARIFY, "facts_missing", ["say-why"]],
  ["fs.write_file", { path: "/etc/x" }, {}, Effect.TRANSFORM, "rule_transformed", ["keep-writes-in-the-workspace"]],
  ["payments.transfer", { amount: 40 }, {}, Effect.ALLOW, "rule_allowed", ["small-transfers"]],
] as const;

describe("an agent that is observed", () => {
  let watched: Headers;
  let bound: Headers;

  beforeAll(async () => {
    await agent("watched", { mode: "observe", labels: { team: "finance" } });
    ({ headers: watched } = await openSession(house, { agent: "watched" }));
    ({ headers: bound } = await openSession(house));
  });

  test.each(stopped)("%s %j %j runs as it was proposed, and is told what enforcement answers", async (...row) => {
    const [name, input, more, effect, code, rules] = row;
    const id = JSON.stringify([name, input, more]);
    const seen = await decide(watched, id, name, input, more);
    expect(seen).toMatchObject({ effect: Effect.ALLOW, mode: Mode.OBSERVED, reason: { code: "observed" }, rules: [] });
    expect(seen.constraints).toEqual([]);
    expect(seen.transformed.case).toBeUndefined();
    expect(seen.effectiveInputDigest).toBe(seen.inputDigest);
    expect(seen.approval).toBeUndefined();
    expect(seen.questions).toEqual([]);
    expect(seen.executeBefore).toBeDefined();
    expect(seen.would?.effect).toBe(effect);
    expect(seen.would?.reason?.code).toBe(code);
    expect(seen.would?.rules.map(({ rule }) => rule)).toEqual(rules);
    // Word for word what a bound agent is answered.
    const enforced = await decide(bound, id, name, input, more);
    expect(seen.would).toMatchObject({ effect: enforced.effect, reason: enforced.reason, rules: enforced.rules });
    expect(enforced.mode).toBe(Mode.ENFORCED);
  });

  test("a call beyond its session's scope runs too", async () => {
    const scope = { tools: ["invoices.*"] };
    const { headers } = await openSession(house, { agent: "watched", scope } as never);
    const seen = await decide(headers, "beyond", "payments.transfer", { amount: 4 });
    expect(seen).toMatchObject({ effect: Effect.ALLOW, would: { effect: Effect.DENY } });
    expect(seen.would?.reason?.code).toBe("scope_exceeded");
  });

  test("the ledger, Explain and the metrics say it too", async () => {
    const seen = await decide(watched, "told", "payments.transfer", { amount: 20_000 });
    const { decision } = await house.clients.ledger.getDecision({ decisionId: seen.decisionId }, { headers: owner() });
    const would = { effect: "deny", reason: { code: "rule_denied" }, rules: [{ rule: "never-that-much" }] };
    expect(decision?.body).toMatchObject({ effect: "allow", mode: "observed", would });
    const call = ask("told-2", "payments.transfer", { amount: 20_000 });
    const explained = await house.clients.decisions.explain({ call }, { headers: watched });
    expect(explained).toMatchObject({ mode: Mode.OBSERVED, verdict: { effect: Effect.ALLOW } });
    expect(explained.would).toMatchObject({ effect: Effect.DENY, reason: { code: "rule_denied" } });
    const page = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
    expect(page).toMatch(/remit_observed_total\{would="deny"\} [1-9]/);
    expect(page).toMatch(/remit_observed_total\{would="escalate"\} 1/);
  });

  test("an operator's kill binds, and so does the end of a session", async () => {
    await agent("doomed", { mode: "observe" });
    const { session, headers } = await openSession(house, { agent: "doomed" });
    expect((await decide(headers, "before", "records.delete", {})).effect).toBe(Effect.ALLOW);
    await agent("doomed", { mode: "observe", status: "suspended" });
    const killed = await decide(headers, "killed", "records.delete", {});
    expect(killed).toMatchObject({ effect: Effect.DENY, mode: Mode.ENFORCED, reason: { code: "agent_suspended" } });
    await agent("doomed", { mode: "observe" });
    await house.clients.sessions.closeSession({ sessionId: session.id }, { headers: owner() });
    const over = await decide(headers, "over", "records.delete", {});
    expect(over).toMatchObject({ effect: Effect.DENY, mode: Mode.ENFORCED, reason: { code: "session_closed" } });
  });

  test("enforcing is a security change: the next call is bound, wherever it is asked", async () => {
    await agent("trusted", { mode: "observe" });
    const { headers } = await openSession(house, { agent: "trusted" });
    expect((await decide(headers, "watched", "records.delete", {})).effect).toBe(Effect.ALLOW);
    const { revision, agent: answered } = await agent("trusted", { mode: "enforce" });
    expect(answered?.mode).toBe("enforce");
    const next = await decide(headers, "bound", "records.delete", {});
    expect(next).toMatchObject({ effect: Effect.DENY, mode: Mode.ENFORCED });
    expect(next.revision).toBeGreaterThanOrEqual(revision);
  });
});

test("a tool that is observed stops nobody's call, unless the agent says `enforce`", async () => {
  await tool("mail.send", { risk: "write", mode: "observe" });
  await tool("mail.purge", { risk: "destructive", mode: "enforce" });
  await agent("plain", {});
  await agent("strict", { mode: "enforce" });
  await agent("loose", { mode: "observe" });
  const answers = async (name: string) => {
    const { headers } = await openSession(house, { agent: name });
    const send = await decide(headers, "send", "mail.send", {});
    const purge = await decide(headers, "purge", "mail.purge", {});
    return [send.effect, purge.effect];
  };
  expect(await answers("plain")).toEqual([Effect.ALLOW, Effect.DENY]);
  expect(await answers("strict")).toEqual([Effect.DENY, Effect.DENY]);
  expect(await answers("loose")).toEqual([Effect.ALLOW, Effect.DENY]);
  const { tools } = await house.clients.tools.listTools({}, { headers: owner() });
  expect(
    tools
      .filter(({ name }) => name.startsWith("mail."))
      .map(({ mode }) => mode)
      .sort(),
  ).toEqual(["enforce", "observe"]);
});

describe("a tenant that is observed", () => {
  const set = (change: Parameters<House["clients"]["tenants"]["updateTenant"]>[0]) =>
    house.clients.tenants.updateTenant(change, { headers: owner() });

  test("stops no call, of whatever agent, but where an agent or a tool says `enforce`; then it enforces again", async () => {
    await agent("new", {});
    await agent("narrow", { ceiling: { tools: ["invoices.*"] } });
    await agent("firm", { mode: "enforce" });
    await tool("vault.open", { risk: "destructive", mode: "enforce" });
    const { revision } = await set({ mode: TenantMode.OBSERVE });
    const answers = async (name: string, round: string) => {
      const { headers } = await openSession(house, { agent: name });
      const stray = await decide(headers, `${round}-stray`, "rockets.launch", {});
      const fatal = await decide(headers, `${round}-fatal`, "vault.open", {});
      expect(stray.revision).toBeGreaterThanOrEqual(revision);
      return [stray.effect, fatal.effect, stray.would?.reason?.code];
    };
    expect(await answers("new", "observed")).toEqual([Effect.ALLOW, Effect.DENY, "tool_unknown"]);
    expect(await answers("narrow", "observed")).toEqual([Effect.ALLOW, Effect.DENY, "tool_unknown"]);
    expect(await answers("firm", "observed")).toEqual([Effect.DENY, Effect.DENY, undefined]);
    await set({ mode: TenantMode.ENFORCE });
    expect(await answers("new", "enforced")).toEqual([Effect.DENY, Effect.DENY, undefined]);
  });

  test("by a selector: the agents with its labels, and no other", async () => {
    await agent("trial", { labels: { team: "lab", stage: "trial" } });
    await agent("live", { labels: { team: "lab", stage: "live" } });
    await set({ observeAgents: { selectors: [{ matchLabels: { team: "lab", stage: "trial" } }] } });
    const answered = async (name: string) => {
      const { headers } = await openSession(house, { agent: name });
      return (await decide(headers, "stray", "rockets.launch", {})).effect;
    };
    expect(await answered("trial")).toBe(Effect.ALLOW);
    expect(await answered("live")).toBe(Effect.DENY);
    await set({ observeAgents: { selectors: [] } });
    expect(await answered("trial")).toBe(Effect.DENY);
  });
});

test("a policy that is observed decides nothing and says what it would have changed", async () => {
  const text = JSON.stringify({
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "trial" } },
    spec: {
      mode: "observe",
      rules: [{ id: "no-tens", match: { tools: ["payments.transfer"] }, when: "input.amount == 10", effect: "deny" }],
    },
  });
  const files = [{ file: "trial.yaml", text }];
  await house.clients.policies.publishPolicies({ files }, { headers: owner() });
  await house.clients.policies.activatePolicies({ choices: [{ policy: "trial" }] }, { headers: owner() });
  const { headers } = await openSession(house);
  const ten = await decide(headers, "ten", "payments.transfer", { amount: 10 });
  expect(ten).toMatchObject({ effect: Effect.ALLOW, mode: Mode.ENFORCED, reason: { code: "rule_allowed" } });
  expect(ten.would).toMatchObject({ effect: Effect.DENY, rules: [{ policy: "trial", rule: "no-tens" }] });
  const nine = await decide(headers, "nine", "payments.transfer", { amount: 9 });
  expect(nine.would).toBeUndefined();
});

test("once enforcement was acknowledged, no replica observes any more, however late it hears", async () => {
  const DEAF_MS = 5_000;
  await using database = await disposable();
  const config = testConfig(database.runtimeUrl);
  await using here = await startHouse({ database, config });
  await furnish(here);
  await using deaf = await startHouse({ database, config: { ...config, pollMs: DEAF_MS }, ownerKey: here.ownerKey });
  const by = { headers: { authorization: `Bearer ${here.ownerKey}` } };
  await here.clients.tenants.updateTenant({ mode: TenantMode.OBSERVE }, by);
  const { headers } = await openSession(here);
  const asked = async (at: House, callId: string) =>
    (await at.clients.decisions.decide(ask(callId, "records.delete", {}), { headers })).effect;
  expect(await asked(deaf, "watched")).toBe(Effect.ALLOW);
  await here.clients.tenants.updateTenant({ mode: TenantMode.ENFORCE }, by);
  expect(await asked(deaf, "bound")).toBe(Effect.DENY);
});
