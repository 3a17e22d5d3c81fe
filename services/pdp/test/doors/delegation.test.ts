import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Effect } from "@remit/proto/common";
import { type DelegateRequestSchema, Session_State } from "@remit/proto/session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { openStream } from "../support/exchange-stream.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

type Headers = Record<string, string>;
type Asked = MessageInitShape<typeof DelegateRequestSchema>;

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const clock = settableClock(START_MS);
const names = ["helper", "looker", "runner", "porter", "clerk2", "page", "scribe", "errand", "last"];
let house: House;
let calls = 0;

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });

async function put(kind: "Agent" | "Group", name: string, spec: string): Promise<void> {
  const text = `{apiVersion: remit/v1, kind: ${kind}, metadata: {name: ${name}}, spec: ${spec}}`;
  const document = { file: "document.yaml", text };
  const { agents, groups } = house.clients;
  const done = kind === "Agent" ? agents.putAgent : groups.putGroup;
  const { problems } = await done({ document }, { headers: owner() });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
}

beforeAll(async () => {
  house = await startHouse({ clock });
  await furnish(house);
  for (const name of names) await put("Agent", name, "{labels: {team: finance}}");
});

afterAll(() => house.close());

/** Delegates, and answers the child with the headers that ask for it. */
async function delegate(headers: Headers, agent: string, asked: Asked = {}, key?: string) {
  const { session, token } = await house.clients.sessions.delegate(
    { agent, scope: { tools: ["*"], maxDepth: 0 }, ...asked } as Asked,
    { headers },
  );
  if (!session) throw new Error("no session was answered");
  const bearer = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return { session, token, headers: { ...headers, ...bearer, "remit-session": token } };
}

const pay = (headers: Headers, amount: number, more = {}) =>
  house.clients.decisions.decide(
    {
      callId: `call-${++calls}`,
      tool: "payments.transfer",
      input: { case: "inputObject", value: { amount, ...more } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

const code = async (headers: Headers, amount = 5) => (await pay(headers, amount)).reason?.code;
const atMost = (value: number, maxDepth = 0) => ({
  ...{ tools: ["payments.*"], maxDepth },
  bounds: [{ tool: "payments.*", path: "input.amount", limit: { case: "max" as const, value } }],
});

describe("a delegated session", () => {
  test("is another agent's, for the same principal, with no more than its parent has", async () => {
    const principal = { case: "principal" as const, value: { id: "mia" } };
    const root = await openSession(house, { onBehalfOf: principal, scope: atMost(100, 1) });
    const child = await delegate(root.headers, "helper", { scope: atMost(50), purpose: "pay the bill" } as Asked);
    expect(child.session).toMatchObject({
      ...{ agent: "helper", principal: { id: "mia" }, parentId: root.session.id, depth: 1, purpose: "pay the bill" },
      chain: [{ sessionId: root.session.id, agent: "clerk", state: Session_State.OPEN }],
    });
    expect(child.session.expiresAt).toEqual(root.session.expiresAt);
    expect(await code(child.headers, 50)).toBe("rule_allowed");
    expect(await code(child.headers, 51)).toBe("scope_exceeded");
    expect(await code(root.headers, 51)).toBe("rule_allowed");
    const shown = await house.clients.sessions.getSession({ sessionId: child.session.id }, { headers: owner() });
    expect(shown.session).toEqual(child.session);
  });

  test("is refused with every excess of its scope, each with its place and what is allowed", async () => {
    const root = await openSession(house, {
      scope: {
        ...{ tools: ["payments.*", "invoices.read"], maxDepth: 1, labels: { tier: "1" } },
        bounds: [
          { tool: "payments.*", path: "input.amount", limit: { case: "max", value: 100 } },
          { tool: "payments.*", path: "input.user", limit: { case: "equals", value: "principal.id" } },
        ],
        expiresAt: timestampFromMs(START_MS + 3_600_000),
      },
    } as never);
    const scope = {
      ...{ tools: ["payments.transfer", "records.delete"], maxDepth: 1, labels: {} },
      bounds: [{ tool: "payments.*", path: "input.amount", limit: { case: "max", value: 200 } }],
      expiresAt: timestampFromMs(START_MS + 7_200_000),
    };
    const refused = await failure(delegate(root.headers, "helper", { scope } as Asked));
    expect(refused).toMatchObject({
      code: "PermissionDenied",
      detail: { reason: "scope_exceeded", field: "scope.tools[1]", limit: "payments.*, invoices.read" },
    });
    const said = refused.message.split("; ");
    expect(said.map((excess) => excess.split(" ")[0])).toEqual([
      ...["tools[1]", "bounds[0].max", "bounds", "labels.tier", "max_depth", "expires_at"],
    ]);
    expect(said[2]).toContain("input.user of payments.*: equals principal.id");
  });

  test("is refused to an agent of its chain, to one that nobody registered, and without a scope", async () => {
    const root = await openSession(house);
    const child = await delegate(root.headers, "helper", { scope: { tools: ["*"], maxDepth: 3 } });
    for (const agent of ["clerk", "helper"]) {
      const refused = await failure(delegate(child.headers, agent));
      expect(refused).toMatchObject({ code: "FailedPrecondition", detail: { reason: "delegation_circular" } });
    }
    expect(await failure(delegate(root.headers, "ghost"))).toMatchObject({ detail: { reason: "agent_unknown" } });
    const without = house.clients.sessions.delegate({ agent: "helper" }, { headers: root.headers });
    expect(await failure(without)).toMatchObject({ code: "InvalidArgument", detail: { field: "scope" } });
  });

  test("is asked for by a caller that speaks for its parent and is bound to its agent", async () => {
    const { callers } = house.clients;
    const make = async (name: string, agents: string[]) =>
      (await callers.createKey({ name, agents }, { headers: owner() })).key;
    const both = await make("both", ["clerk", "helper"]);
    const one = await make("one", ["clerk"]);
    const other = await make("other", ["*"]);
    const root = await openSession(house, {}, both);
    const child = await delegate(root.headers, "helper");
    expect(await code(child.headers)).toBe("rule_allowed");
    const unbound = await openSession(house, {}, one);
    expect(await failure(delegate(unbound.headers, "helper"))).toMatchObject({ detail: { reason: "agent_not_bound" } });
    const stolen = { ...root.headers, authorization: `Bearer ${other}` };
    expect(await failure(delegate(stolen, "helper"))).toMatchObject({ detail: { reason: "session_not_yours" } });
    expect(await failure(pay({ ...child.headers, authorization: `Bearer ${other}` }, 5))).toMatchObject({
      ...{ detail: { reason: "session_not_yours" } },
    });
  });

  test("is made once for one run, raced or not, and for one parent alone", async () => {
    const root = await openSession(house);
    const asked = { runId: "handover-1" };
    const made = await Promise.all(Array.from({ length: 6 }, () => delegate(root.headers, "helper", asked)));
    expect(new Set(made.map(({ session }) => session.id)).size).toBe(1);
    const another = await openSession(house);
    for (const reuse of [
      () => delegate(another.headers, "helper", asked),
      () => delegate(root.headers, "helper", { ...asked, scope: { tools: ["invoices.*"] } }),
      () => openSession(house, { agent: "helper", ...asked }),
    ]) {
      expect(await failure(reuse())).toMatchObject({ code: "AlreadyExists", detail: { reason: "run_id_reused" } });
    }
  });

  test("ends with its parent at the latest, or when it is told to", async () => {
    const root = await openSession(house, { maxLifetimeSeconds: 600 });
    const endMs = async (asked: Asked) => {
      const { expiresAt } = (await delegate(root.headers, "helper", asked)).session;
      return expiresAt ? timestampDate(expiresAt).getTime() - START_MS : 0;
    };
    expect(await endMs({})).toBe(600_000);
    expect(await endMs({ maxLifetimeSeconds: 60 })).toBe(60_000);
    expect(await endMs({ maxLifetimeSeconds: 6000 })).toBe(600_000);
    expect(await endMs({ scope: { tools: ["*"], expiresAt: timestampFromMs(START_MS + 30_000) } })).toBe(30_000);
  });
});

describe("a chain", () => {
  async function chain(length: number, asked: (depth: number) => Asked = () => ({})) {
    const links = [await openSession(house, {})];
    for (let depth = 1; depth <= length; depth++) {
      const scope = { tools: ["*"], maxDepth: Math.max(0, 8 - depth) };
      const { headers } = links.at(-1) ?? { headers: {} };
      links.push((await delegate(headers, names[depth - 1] ?? "", { scope, ...asked(depth) } as Asked)) as never);
    }
    return links;
  }
  const depthOf = (delegationDepth?: number) =>
    house.clients.tenants.updateTenant(
      { tenant: "default", quotas: delegationDepth === undefined ? {} : { delegationDepth } },
      { headers: owner() },
    );

  test("has four delegations by default, eight ever, and is refused beyond that, never cut", async () => {
    const four = await chain(4);
    const refused = await failure(chain(5));
    expect(refused).toMatchObject({ code: "FailedPrecondition", detail: { reason: "depth_exceeded" } });
    await depthOf(8);
    const eight = await chain(8);
    expect(eight.at(-1)?.session.chain.map(({ agent }) => agent)).toEqual(["clerk", ...names.slice(0, 7)]);
    expect(await code(eight.at(-1)?.headers ?? {})).toBe("rule_allowed");
    expect(await failure(chain(9))).toMatchObject({ detail: { reason: "depth_exceeded" } });
    expect(await failure(depthOf(9))).toMatchObject({ code: "InvalidArgument" });
    await depthOf();
    // What lies too deep now is denied, and what does not goes on.
    expect(await code(eight.at(-1)?.headers ?? {})).toBe("depth_exceeded");
    expect(await code(four.at(-1)?.headers ?? {})).toBe("rule_allowed");
  });

  test("is no longer than a scope or a ceiling on its way says", async () => {
    const root = await openSession(house, { scope: { tools: ["*"], maxDepth: 1 } });
    expect(await failure(delegate(root.headers, "helper", { scope: { tools: ["*"], maxDepth: 1 } }))).toMatchObject({
      detail: { reason: "scope_exceeded", field: "scope.max_depth", limit: "at most 0" },
    });
    const child = await delegate(root.headers, "helper");
    expect(await failure(delegate(child.headers, "looker"))).toMatchObject({ detail: { reason: "depth_exceeded" } });
    const two = await chain(2);
    await put("Agent", "clerk", "{labels: {team: finance}, ceiling: {tools: ['*'], maxDepth: 1}}");
    expect([await code(two[1]?.headers ?? {}), await code(two[2]?.headers ?? {})]).toEqual([
      "rule_allowed",
      "depth_exceeded",
    ]);
    await put("Agent", "clerk", "{labels: {team: finance}}");
  });

  test("is bound by every link's agent as it stands at the decision, from the root to the last", async () => {
    const links = await chain(3);
    const last = links[3]?.headers ?? {};
    expect(await code(last, 60)).toBe("rule_allowed");
    const bounds = "bounds: [{tool: payments.*, path: input.amount, max: 50}]";
    for (const agent of ["clerk", ...names.slice(0, 3)]) {
      await put("Agent", agent, `{labels: {team: finance}, ceiling: {tools: ['*'], ${bounds}}}`);
      expect([await code(last, 60), await code(last, 50)]).toEqual(["scope_exceeded", "rule_allowed"]);
      await put("Agent", agent, "{labels: {team: finance}, status: suspended}");
      expect(await code(last)).toBe("agent_suspended");
      const renewed = house.clients.sessions.renewSession(
        { sessionId: links[3]?.session.id ?? "" },
        { headers: owner() },
      );
      expect(await failure(renewed)).toMatchObject({ detail: { reason: "agent_suspended" } });
      await put("Agent", agent, "{labels: {team: finance}}");
      expect(await code(last, 60)).toBe("rule_allowed");
    }
  });

  test("is bound by the ceilings of the groups that its principal is in", async () => {
    const mia = { case: "principal" as const, value: { id: "mia" } };
    const root = await openSession(house, { onBehalfOf: mia });
    const child = await delegate(root.headers, "helper");
    const other = await openSession(house, { onBehalfOf: { ...mia, value: { id: "ben" } } });
    const ceiling = "{tools: [payments.*], bounds: [{tool: '*', path: input.amount, max: 10}], disclose: true}";
    await put("Group", "trainees", `{members: [mia, ada], ceiling: ${ceiling}}`);
    expect([await code(root.headers, 11), await code(child.headers, 11)]).toEqual(["scope_exceeded", "scope_exceeded"]);
    const { reason } = await pay(child.headers, 11);
    expect([reason?.message, reason?.remedy]).toEqual([
      ...["The call exceeds what this session may do: input.amount exceeds its bound max.", "Allowed: at most 10."],
    ]);
    expect([await code(child.headers, 10), await code(other.headers, 11)]).toEqual(["rule_allowed", "rule_allowed"]);
    await put("Group", "trainees", "{members: [mia, ada]}");
    expect(await code(child.headers, 11)).toBe("rule_allowed");
  });

  test("is bound by ceilings that are long, which its entries tell whole and its explanations name", async () => {
    const { headers } = await openSession(house, { onBehalfOf: { case: "principal", value: { id: "lea" } } });
    const tools = Array.from({ length: 200 }, (_, at) => `tool-${at}.*`);
    const bounds = [{ tool: "payments.*", path: "input.amount", max: 10 }];
    const wide = { tools: [...tools, "payments.transfer"], bounds };
    const groupOf = (ceiling: object) => JSON.stringify({ members: ["lea"], ceiling });
    await put("Group", "many", groupOf(wide));
    const { decisionId, reason } = await pay(headers, 10);
    expect(reason?.code).toBe("rule_allowed");
    const { decision } = await house.clients.ledger.getDecision({ decisionId }, { headers: owner() });
    expect(decision?.body?.scopes).toContainEqual(wide);
    expect(await code(headers, 11)).toBe("scope_exceeded");

    const asked = { callId: "explained", tool: "payments.transfer", supportedConstraints: [] };
    const input = { case: "inputObject" as const, value: { amount: 11 } };
    const { checks } = await house.clients.decisions.explain({ call: { ...asked, input } } as never, { headers });
    expect(checks.find(({ name }) => name === "scope")?.detail).toContain("input.amount exceeds its bound max");

    // What was read of a ceiling is not asked once it is another.
    await put("Group", "many", groupOf({ ...wide, tools }));
    expect(await code(headers, 10)).toBe("scope_exceeded");
    await put("Group", "many", groupOf(wide));
    expect(await code(headers, 10)).toBe("rule_allowed");
  });

  test("ends with any of its links, and what is beside it goes on", async () => {
    const links = await chain(3);
    const beside = await delegate(links[0]?.headers ?? {}, "errand");
    const { session, headers } = links[1] ?? { session: { id: "" }, headers: {} };
    await house.clients.sessions.closeSession({ sessionId: session.id }, { headers: owner() });
    for (const link of links.slice(1)) expect(await code(link.headers)).toBe("session_closed");
    expect([await code(links[0]?.headers ?? {}), await code(beside.headers)]).toEqual(["rule_allowed", "rule_allowed"]);
    const refused = await failure(delegate(headers, "porter"));
    expect(refused).toMatchObject({ code: "FailedPrecondition", detail: { reason: "session_closed" } });
    const last = links[3]?.session.id ?? "";
    const renewed = house.clients.sessions.renewSession({ sessionId: last }, { headers: owner() });
    expect(await failure(renewed)).toMatchObject({ detail: { reason: "session_closed" } });
    const shown = await house.clients.sessions.getSession({ sessionId: last }, { headers: owner() });
    expect(shown.session?.state).toBe(Session_State.CLOSED);
    expect(shown.session?.chain.map(({ state }) => state)).toEqual([
      ...[Session_State.OPEN, Session_State.CLOSED, Session_State.CLOSED],
    ]);
  });

  test("stands in the entry of every decision, as nested actors", async () => {
    const links = await chain(2);
    const { decisionId } = await pay(links[2]?.headers ?? {}, 5);
    const { decision } = await house.clients.ledger.getDecision({ decisionId }, { headers: owner() });
    const actor = (sub: string) => ({ iss: "remit:default", sub, sub_profile: "ai_agent" });
    expect(decision?.body).toMatchObject({
      act: { ...actor("looker"), act: { ...actor("helper"), act: actor("clerk") } },
      chain: links.map(({ session }) => ({ session: session.id, agent: session.agent })),
      session: { depth: 2 },
    });
    const alone = await pay(links[0]?.headers ?? {}, 5);
    const entry = await house.clients.ledger.getDecision({ decisionId: alone.decisionId }, { headers: owner() });
    expect(entry.decision?.body).toMatchObject({ act: actor("clerk") });
    expect(entry.decision?.body?.act).not.toHaveProperty("act");
  });
});

test("a stream is told that a delegated session ended when the one at its top did", async () => {
  const stream = openStream(house);
  const root = await openSession(house);
  const middle = await delegate(root.headers, "helper", { scope: { tools: ["*"], maxDepth: 1 } });
  const child = await delegate(middle.headers, "looker");
  const handle = await stream.attach(1n, child.token);
  await house.clients.sessions.closeSession({ sessionId: root.session.id }, { headers: owner() });
  const ended = { case: "sessionEnded", value: { handle, code: "session_closed" } };
  expect(await stream.noticed(1)).toMatchObject([ended]);
  await stream.end();
});

test("one replica's delegations are every replica's, and so is their end", async () => {
  const other = await startHouse({ clock, database: house.database, config: house.config, ownerKey: house.ownerKey });
  try {
    const root = await openSession(house);
    const child = await delegate(root.headers, "helper");
    const elsewhere = () =>
      other.clients.decisions.decide(
        {
          ...{ callId: `call-${++calls}`, tool: "invoices.read", input: { case: "inputObject", value: {} } },
          supportedConstraints: ["timeout", "maxOutputBytes"],
        } as never,
        { headers: child.headers },
      );
    expect((await elsewhere()).effect).toBe(Effect.ALLOW);
    await house.clients.sessions.closeSession({ sessionId: root.session.id }, { headers: owner() });
    // A close travels with the poll.
    await expect.poll(async () => (await elsewhere()).reason?.code).toBe("session_closed");
  } finally {
    await other.close();
  }
});
