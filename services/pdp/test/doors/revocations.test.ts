import type { MessageInitShape } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import type { RevocationSubjectSchema } from "@remit/proto/revocation";
import { Session_State } from "@remit/proto/session";
import { TenantMode } from "@remit/proto/tenant";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/*
 * What is revoked here is over there too, at a replica that hears of it only long after each test.
 */

const DEAF_MS = 5_000;

let database: TestDatabase;
let house: House;
let deaf: House;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  deaf = await startHouse({ database, config: { ...config, pollMs: DEAF_MS }, ownerKey: house.ownerKey });
});

afterAll(async () => {
  await deaf.close();
  await house.close();
  await database.drop();
});

type Subject = NonNullable<MessageInitShape<typeof RevocationSubjectSchema>["subject"]>;

const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
const revoke = (subject: Subject, reason = "it leaked", at = house) =>
  at.clients.revocations.revoke({ subject: { subject }, reason }, owner());
const lift = (revocationId = "", reason = "it is mended") =>
  house.clients.revocations.lift({ revocationId, reason }, owner());

const read = (at: House, headers: Record<string, string>, callId: string) =>
  at.clients.decisions.decide(
    {
      ...{ callId, tool: "invoices.read", input: { case: "inputObject", value: {} } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

const bob = { case: "principal", value: { id: "bob" } } as const;
const opening = { onBehalfOf: bob, labels: { wing: "east" } };

/** What can be revoked of the same session, and what its calls are answered then. */
const revocable: Readonly<Record<string, { of: (session: string) => Subject; code: string; noSession: boolean }>> = {
  "an agent": { of: () => ({ case: "agent", value: "clerk" }), code: "agent_suspended", noSession: true },
  "a session": { of: (value) => ({ case: "session", value }), code: "session_revoked", noSession: true },
  "a principal": { of: () => ({ case: "principal", value: "bob" }), code: "principal_suspended", noSession: true },
  "a tool": { of: () => ({ case: "tool", value: "invoices.read" }), code: "tool_suspended", noSession: false },
  "labels of a session": {
    of: () => ({ case: "labels", value: { matchLabels: { wing: "east" } } }),
    ...{ code: "halted", noSession: true },
  },
  "labels of an agent and a session": {
    of: () => ({ case: "labels", value: { matchLabels: { team: "finance", wing: "east" } } }),
    ...{ code: "halted", noSession: true },
  },
  "a tenant": { of: () => ({ case: "tenant", value: true }), code: "halted", noSession: true },
};

describe.each(Object.entries(revocable))("%s that is revoked", (_, { of, code, noSession }) => {
  test("allows nothing more, old calls or new, at no replica; lifted, all goes on", async () => {
    const { headers, session } = await openSession(house, opening);
    const runs = await openSession(deaf, { ...opening, runId: `run-${session.id}` });
    expect((await read(deaf, headers, "before")).effect).toBe(Effect.ALLOW);
    const { revocation, created, known } = await revoke(of(session.id));
    expect([created, known]).toEqual([true, true]);

    for (const at of [deaf, house]) {
      const answer = await read(at, headers, `after at ${at.pdp.httpAddress}`);
      expect(answer).toMatchObject({ effect: Effect.DENY, replayed: false, reason: { code } });
      const again = await read(at, headers, "before");
      expect(again).toMatchObject({ effect: Effect.DENY, replayed: true, reason: { code } });
      const explained = await at.clients.decisions.explain(
        { call: { callId: "e", tool: "invoices.read", input: { case: "inputObject", value: {} } } },
        { headers },
      );
      expect(explained.verdict).toMatchObject({ effect: Effect.DENY, reason: { code } });
    }
    if (noSession) {
      const renewed = deaf.clients.sessions.renewSession({ sessionId: session.id }, owner());
      expect(await failure(renewed)).toMatchObject({ code: "FailedPrecondition", detail: { reason: code } });
    }
    if (noSession && revocation?.subject?.subject.case !== "session") {
      for (const more of [{}, { runId: `run-${session.id}` }]) {
        const opened = openSession(deaf, { ...opening, ...more });
        expect(await failure(opened)).toMatchObject({ code: "FailedPrecondition", detail: { reason: code } });
      }
    }

    if (revocation?.subject?.subject.case === "session") {
      expect(await failure(lift(revocation.id))).toMatchObject({ detail: { reason: "session_revoked" } });
      const { session: now } = await deaf.clients.sessions.getSession({ sessionId: session.id }, owner());
      expect(now?.state).toBe(Session_State.REVOKED);
      expect((await read(deaf, runs.headers, "of another session")).effect).toBe(Effect.ALLOW);
      return;
    }
    expect((await lift(revocation?.id)).lifted).toBe(true);
    for (const at of [deaf, house]) {
      expect((await read(at, headers, `on again at ${at.pdp.httpAddress}`)).effect).toBe(Effect.ALLOW);
    }
  });
});

test("who has nothing to do with what was revoked is not disturbed", async () => {
  const { headers } = await openSession(house, { ...opening, labels: { wing: "west" } });
  const other = await openSession(house);
  const made = [
    await revoke({ case: "agent", value: "cashier" }),
    await revoke({ case: "principal", value: "alice" }),
    await revoke({ case: "tool", value: "payments.transfer" }),
    await revoke({ case: "session", value: other.session.id }),
    await revoke({ case: "labels", value: { matchLabels: { wing: "east" } } }),
    await revoke({ case: "labels", value: { matchLabels: { wing: "west", team: "sales" } } }),
  ];
  expect(made.map(({ known }) => known)).toEqual([false, true, true, true, true, true]);
  expect((await read(house, headers, "undisturbed")).effect).toBe(Effect.ALLOW);
  for (const { revocation } of made) {
    if (revocation?.subject?.subject.case !== "session") await lift(revocation?.id);
  }
});

describe("a delegated session", () => {
  const delegate = async (parent: Record<string, string>, at = house) => {
    const { session, token } = await at.clients.sessions.delegate(
      { agent: "helper", scope: { tools: ["*"], maxDepth: 0 }, labels: { wing: "south" } },
      { headers: parent },
    );
    return { id: session?.id ?? "", headers: { ...parent, "remit-session": token } };
  };
  const family = async () => {
    const text = "{apiVersion: remit/v1, kind: Agent, metadata: {name: helper}, spec: {}}";
    await house.clients.agents.putAgent({ document: { file: "helper.yaml", text } }, owner());
    const parent = await openSession(house, { ...opening, scope: { tools: ["*"], maxDepth: 2 } });
    const child = await delegate(parent.headers);
    for (const at of [house, deaf]) {
      for (const { headers } of [parent, child]) {
        expect((await read(at, headers, `before at ${at.pdp.httpAddress}`)).effect).toBe(Effect.ALLOW);
      }
    }
    return { parent, child };
  };
  const code = async (headers: Record<string, string>, callId: string) =>
    (await read(deaf, headers, callId)).reason?.code;

  const above: readonly (readonly [string, (parent: string) => Subject, string])[] = [
    ["session", (value) => ({ case: "session", value }), "session_revoked"],
    ["agent", () => ({ case: "agent", value: "clerk" }), "agent_suspended"],
    ["principal", () => ({ case: "principal", value: "bob" }), "principal_suspended"],
    ["session's label", () => ({ case: "labels", value: { matchLabels: { wing: "east" } } }), "halted"],
    ["agent's label", () => ({ case: "labels", value: { matchLabels: { team: "finance" } } }), "halted"],
  ];
  test.each(above)("ends with the %s above it, at a replica that has not heard of it", async (_, of, expected) => {
    const { parent, child } = await family();
    const { revocation } = await revoke(of(parent.session.id));
    expect([await code(child.headers, "new"), await code(parent.headers, "new")]).toEqual([expected, expected]);
    expect(await code(child.headers, `before at ${deaf.pdp.httpAddress}`)).toBe(expected);
    const renewed = deaf.clients.sessions.renewSession({ sessionId: child.id }, owner());
    expect(await failure(renewed)).toMatchObject({ code: "FailedPrecondition", detail: { reason: expected } });
    expect(await failure(delegate(parent.headers, deaf))).toMatchObject({ detail: { reason: expected } });
    if (revocation?.subject?.subject.case === "session") return;
    await lift(revocation?.id);
    expect(await code(child.headers, "on again")).toBe("rule_allowed");
  });

  test("is revoked alone by its own session, its own agent or its own label", async () => {
    const { parent, child } = await family();
    const own: Subject[] = [
      { case: "agent", value: "helper" },
      { case: "labels", value: { matchLabels: { wing: "south" } } },
      { case: "session", value: child.id },
    ];
    for (const [at, subject] of own.entries()) {
      const { revocation } = await revoke(subject);
      expect(["agent_suspended", "halted", "session_revoked"][at]).toBe(await code(child.headers, `own ${at}`));
      expect(await code(parent.headers, `parent ${at}`)).toBe("rule_allowed");
      if (subject.case !== "session") await lift(revocation?.id);
    }
  });
});

test("an agent is revoked by its name before it is registered, and stays so", async () => {
  await revoke({ case: "agent", value: "later" });
  const text = "{apiVersion: remit/v1, kind: Agent, metadata: {name: later}, spec: {}}";
  await house.clients.agents.putAgent({ document: { file: "later.yaml", text } }, owner());
  expect(await failure(openSession(house, { agent: "later" }))).toMatchObject({
    detail: { reason: "agent_suspended" },
  });
});

test("revoking twice is revoking once, lifting twice lifting once, and each change is one revision", async () => {
  const entries = () =>
    withClient(database.superuserUrl, async (pg) => {
      const { rows } = await pg.query("select count(*)::int as count from record where kind = 'admin'");
      return rows[0].count as number;
    });
  const before = await entries();
  const subject = { case: "labels", value: { matchLabels: { b: "2", a: "1" } } } as const;
  const first = await revoke(subject, "the first reason");
  const same = { case: "labels", value: { matchLabels: { a: "1", b: "2" } } } as const;
  const [second, third] = await Promise.all([revoke(same, "another", deaf), revoke(subject, "again")]);
  for (const again of [second, third]) {
    expect(again).toMatchObject({ created: false, revision: first.revision, revocation: first.revocation });
  }
  expect(first.revocation).toMatchObject({ reason: "the first reason", by: { name: "owner" } });
  const lifted = await lift(first.revocation?.id);
  expect(lifted).toMatchObject({ lifted: true, revision: first.revision + 1n });
  const again = await lift(first.revocation?.id, "lifted again");
  expect(again).toMatchObject({ lifted: false, revision: lifted.revision, revocation: lifted.revocation });
  // Two changes, and three requests that changed nothing.
  expect(await entries()).toBe(before + 5);
  // Once lifted it may be revoked anew: that is another.
  const anew = await revoke(subject);
  expect(anew.created && anew.revocation?.id !== first.revocation?.id).toBe(true);
  await lift(anew.revocation?.id);
});

test("what is revoked is listed, the newest first, page by page", async () => {
  const { revocations } = house.clients;
  const made: string[] = [];
  for (const value of ["p1", "p2", "p3"]) {
    made.push((await revoke({ case: "principal", value })).revocation?.id ?? "");
  }
  const halt = (await revoke({ case: "labels", value: { matchLabels: { list: "me" } } })).revocation?.id ?? "";
  const first = await revocations.listRevocations({ pageSize: 2 }, owner());
  expect(first.revocations.map(({ id }) => id)).toEqual([halt, made[2]]);
  const second = await revocations.listRevocations({ pageSize: 2, pageToken: first.nextPageToken }, owner());
  expect(second.revocations.map(({ id }) => id)).toEqual([made[1], made[0]]);
  const halts = await revocations.listRevocations({ halts: true }, owner());
  expect(halts).toMatchObject({ revocations: [{ id: halt, reason: "it leaked" }], nextPageToken: "" });
  for (const id of [...made, halt]) await lift(id);
  const living = (await revocations.listRevocations({}, owner())).revocations.map(({ id }) => id);
  expect(living.filter((id) => [...made, halt].includes(id))).toEqual([]);
  const all = await revocations.listRevocations({ all: true, pageSize: 4 }, owner());
  expect(all.revocations.map(({ liftReason }) => liftReason)).toEqual(Array(4).fill("it is mended"));
});

test("an operator revokes and lifts; nobody with less does, and a viewer may look", async () => {
  const { callers, revocations } = house.clients;
  const keyOf = async (role: string) => {
    const { key } = await callers.createKey({ name: `only-${role}`, roles: [role] }, owner());
    return { headers: { authorization: `Bearer ${key}` } };
  };
  const operator = await keyOf("operator");
  const subject = { subject: { case: "principal", value: "carol" } } as const;
  for (const role of ["viewer", "policy-approver", "approver"]) {
    const by = await keyOf(role);
    for (const tried of [
      () => revocations.revoke({ subject, reason: "no" }, by),
      () => revocations.lift({ revocationId: "00000000-0000-7000-8000-000000000000", reason: "no" }, by),
    ]) {
      expect(await failure(tried())).toMatchObject({ code: "PermissionDenied", detail: { reason: "role_missing" } });
    }
  }
  const { revocation } = await revocations.revoke({ subject, reason: "yes" }, operator);
  expect(revocation?.by?.name).toBe("only-operator");
  await revocations.lift({ revocationId: revocation?.id ?? "", reason: "yes" }, operator);
});

test("an operator's own hand binds an observed tenant too", async () => {
  const { headers } = await openSession(house, opening);
  await house.clients.tenants.updateTenant({ mode: TenantMode.OBSERVE }, owner());
  const denied = (callId: string) =>
    house.clients.decisions.decide(
      { callId, tool: "records.delete", input: { case: "inputObject", value: {} } },
      { headers },
    );
  expect(await denied("watched")).toMatchObject({ effect: Effect.ALLOW, reason: { code: "observed" } });
  const { revocation } = await revoke({ case: "principal", value: "bob" });
  for (const callId of ["watched", "new"]) {
    expect(await denied(callId)).toMatchObject({ effect: Effect.DENY, reason: { code: "principal_suspended" } });
  }
  await lift(revocation?.id);
  await house.clients.tenants.updateTenant({ mode: TenantMode.ENFORCE }, owner());
});

test("the entry of a report says that its call was revoked while it ran", async () => {
  const report = async (headers: Record<string, string>, decisionId: string) => {
    await deaf.clients.decisions.report(
      { subject: { case: "decisionId", value: decisionId }, outcome: Outcome.FAILED },
      { headers },
    );
    const { reports } = await house.clients.ledger.getDecision({ decisionId }, owner());
    return reports[0]?.body;
  };
  const { headers } = await openSession(house, opening);
  const [one, two] = [await read(deaf, headers, "one"), await read(deaf, headers, "two")];
  expect(await report(headers, one.decisionId)).not.toHaveProperty("revoked");
  const { revocation } = await revoke({ case: "tool", value: "invoices.read" });
  expect(await report(headers, two.decisionId)).toMatchObject({ outcome: "failed", revoked: "tool_suspended" });
  await lift(revocation?.id);
});

test("what is wrong with a request is said by its field", async () => {
  const wrong: [Parameters<House["clients"]["revocations"]["revoke"]>[0], string][] = [
    [{ reason: "r" }, "subject"],
    [{ subject: { subject: { case: "tenant", value: false } }, reason: "r" }, "subject"],
    [{ subject: { subject: { case: "agent", value: "" } }, reason: "r" }, "subject.agent"],
    [{ subject: { subject: { case: "session", value: "mine" } }, reason: "r" }, "subject.session"],
    [{ subject: { subject: { case: "labels", value: {} } }, reason: "r" }, "subject.labels.match_labels"],
    [{ subject: { subject: { case: "principal", value: "bob" } } }, "reason"],
    [{ subject: { subject: { case: "principal", value: "bob" } }, reason: "r".repeat(1025) }, "reason"],
  ];
  for (const [request, field] of wrong) {
    const answer = await failure(house.clients.revocations.revoke(request, owner()));
    expect(answer).toMatchObject({ code: "InvalidArgument", detail: { field } });
  }
  const nobody = revoke({ case: "session", value: "00000000-0000-7000-8000-000000000000" });
  expect(await failure(nobody)).toMatchObject({ code: "NotFound", detail: { reason: "session_unknown" } });
});
