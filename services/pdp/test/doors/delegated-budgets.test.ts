import { Outcome } from "@remit/proto/decision";
import { type DelegateRequest, Session_State } from "@remit/proto/session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";

type Headers = Record<string, string>;

let house: House;
const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
const eur = (value: string) => ({ unit: "EUR", value });

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  for (const name of ["helper", "looker", "last"]) {
    const text = `{apiVersion: remit/v1, kind: Agent, metadata: {name: ${name}}, spec: {labels: {team: finance}}}`;
    await house.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, owner());
  }
});

afterAll(() => house.close());

async function delegate(headers: Headers, agent: string, asked: Partial<DelegateRequest> | object = {}) {
  const scope = { tools: ["*"], maxDepth: 1 };
  const { session, token } = await house.clients.sessions.delegate({ agent, scope, ...asked } as never, { headers });
  if (!session) throw new Error("no session was answered");
  return { session, headers: { ...headers, "remit-session": token } };
}

const root = () => openSession(house, { scope: { tools: ["*"], maxDepth: 3 } } as never);

describe("a delegation with a budget", () => {
  test("has an account a unit, which GetSession shows with what is left", async () => {
    const { headers } = await root();
    const budget = [eur("50"), { unit: "calls", value: "3" }];
    const child = await delegate(headers, "helper", { budget });
    const whole = (amount: { unit: string; value: string }) => ({
      ...{ limit: amount, spent: { ...amount, value: "0" }, held: { ...amount, value: "0" }, left: amount },
      frozen: false,
    });
    expect(child.session.given).toMatchObject([whole(eur("50")), whole({ unit: "calls", value: "3" })]);
    const seen = await house.clients.sessions.getSession({ sessionId: child.session.id }, owner());
    expect(seen.session).toEqual(child.session);
    // Renewed, it is the same session with the same accounts.
    const renewed = await house.clients.sessions.renewSession({ sessionId: child.session.id }, owner());
    expect(renewed.session).toEqual(child.session);
  });

  test("shows what was spent and held of it, and is over when its session is", async () => {
    const child = await delegate((await root()).headers, "helper", { budget: [eur("50")] });
    await withClient(house.database.superuserUrl, (pg) =>
      pg.query("update account set held = 20000000, posted = 25000000, overage = 6500000 where session = $1", [
        child.session.id,
      ]),
    );
    const { session } = await house.clients.sessions.getSession({ sessionId: child.session.id }, owner());
    expect(session?.given).toMatchObject([{ held: eur("20"), spent: eur("31.5"), left: eur("0"), limit: eur("50") }]);
    const closed = await house.clients.sessions.closeSession({ sessionId: child.session.id }, owner());
    expect(closed.session).toMatchObject({ state: Session_State.CLOSED, given: [{ limit: eur("50") }] });
  });

  test("gives no more than the nearest session above that was given any of that unit, and names every excess", async () => {
    const first = await delegate((await root()).headers, "helper", {
      ...{ scope: { tools: ["*"], maxDepth: 2 }, budget: [eur("50"), { unit: "tokens", value: "100" }] },
    });
    const second = await delegate(first.headers, "looker", { budget: [eur("20")] });
    const tooMuch = { budget: [eur("20.000001"), { unit: "tokens", value: "101" }, { unit: "USD", value: "9" }] };
    const scope = { tools: ["*"] };
    const refused = await failure(delegate(second.headers, "last", { scope, ...tooMuch }));
    expect(refused).toMatchObject({
      code: "PermissionDenied",
      detail: { reason: "scope_exceeded", field: "budget", limit: "20 EUR" },
    });
    expect(refused.message).toContain(
      "budget (20.000001 EUR) exceeds what may be handed over: 20; budget (101 tokens) exceeds what may be handed over: 100",
    );
    const fits = await delegate(second.headers, "last", { scope, budget: [eur("20"), { unit: "USD", value: "9" }] });
    expect(fits.session.given.map(({ limit }) => limit?.value)).toEqual(["20", "9"]);
  });

  test("is the same for the same run, and another budget is another run", async () => {
    const { headers } = await root();
    const [first, again] = [
      await delegate(headers, "helper", { runId: "r1", budget: [{ unit: "USD", value: "1.5" }, eur("5")] }),
      await delegate(headers, "helper", { runId: "r1", budget: [eur("5.00"), { unit: "USD", value: "1.50" }] }),
    ];
    expect(again.session).toEqual(first.session);
    for (const budget of [[], [eur("5")], [eur("4"), { unit: "USD", value: "1.5" }]]) {
      const other = await failure(delegate(headers, "helper", { runId: "r1", budget }));
      expect(other.detail.reason).toBe("run_id_reused");
    }
  });

  test("is refused where an amount is none, given twice, or parts of a call", async () => {
    const { headers } = await root();
    const field = async (...budget: object[]) => (await failure(delegate(headers, "helper", { budget }))).detail.field;
    for (const value of ["-1", "NaN", "1e3", "0.0000001", "", "9999999999999"]) {
      expect(await field(eur(value)), value).toBe("budget[0].value");
    }
    expect(await field(eur("1"), { unit: "Euro", value: "1" })).toBe("budget[1].unit");
    expect(await field(eur("1"), eur("2"))).toBe("budget");
    expect(await field({ unit: "calls", value: "2.5" })).toBe("budget[0].value");
    expect(await field(...Array.from({ length: 17 }, (_, at) => ({ unit: `u${at}`, value: "1" })))).toBe("budget");
    const none = await withClient(house.database.superuserUrl, (pg) =>
      pg.query(
        "select count(*)::int as n from session where agent = 'helper' and run_id is null and parent is not null",
      ),
    );
    const accounts = await withClient(house.database.superuserUrl, (pg) =>
      pg.query(
        "select count(*)::int as n from account a where not exists (select from session s where s.id = a.session)",
      ),
    );
    expect(accounts.rows).toEqual([{ n: 0 }]);
    expect(none.rows[0]?.n).toBeGreaterThan(0);
  });
});

describe("what was given", () => {
  let calls = 0;
  const pay = (headers: Headers, value: string) =>
    house.clients.decisions.decide(
      {
        ...{ callId: `call-${++calls}`, tool: "payments.transfer", estimate: [eur(value)] },
        input: { case: "inputObject", value: { amount: 5 } },
        supportedConstraints: ["timeout", "maxOutputBytes"],
      },
      { headers },
    );
  const code = async (headers: Headers, value: string) => (await pay(headers, value)).reason?.code;
  const left = async ({ session }: { session: { id: string } }) => {
    const seen = await house.clients.sessions.getSession({ sessionId: session.id }, owner());
    return seen.session?.given.map((one) => [one.held?.value, one.left?.value]);
  };

  test("is all that a session and everything below it may spend, beside what binds it anyway", async () => {
    const top = await root();
    const child = await delegate(top.headers, "helper", {
      ...{ scope: { tools: ["*"], maxDepth: 2 }, budget: [eur("50")] },
    });
    const below = await delegate(child.headers, "looker", { budget: [eur("30")] });
    const beside = await delegate(child.headers, "last", { scope: { tools: ["*"] } });
    expect(await code(below.headers, "30")).toBe("rule_allowed");
    expect(await code(below.headers, "0.000001")).toBe("budget_exhausted");
    expect([await left(below), await left(child)]).toEqual([[["30", "0"]], [["30", "20"]]]);
    // A child without an account of its own draws from the nearest one above it.
    expect(await code(beside.headers, "20.000001")).toBe("budget_exhausted");
    expect(await code(beside.headers, "20")).toBe("rule_allowed");
    expect(await code(child.headers, "1")).toBe("budget_exhausted");
    expect(await left(child)).toEqual([["50", "0"]]);
    // In a unit that nobody gave, and that no budget covers, nothing is spent either: the tenant is a new one.
    const { reason } = await pay(top.headers, "1");
    expect(reason?.code).toBe("no_budget");
  });

  test("comes back with what a report says was not spent", async () => {
    const child = await delegate((await root()).headers, "helper", { budget: [eur("10")] });
    const { decisionId, reason, holds } = await pay(child.headers, "8");
    expect([reason?.code, holds.map(({ amount }) => amount?.value)]).toEqual(["rule_allowed", ["8"]]);
    expect(await code(child.headers, "3")).toBe("budget_exhausted");
    await house.clients.decisions.report(
      { subject: { case: "decisionId", value: decisionId }, outcome: Outcome.SUCCEEDED, actual: [eur("2.5")] },
      { headers: child.headers },
    );
    expect(await left(child)).toEqual([["0", "7.5"]]);
    expect(await code(child.headers, "7.5")).toBe("rule_allowed");
  });

  test("is never overspent by many at once, on whatever level of the chain they ask", async () => {
    const child = await delegate((await root()).headers, "helper", {
      ...{ scope: { tools: ["*"], maxDepth: 2 }, budget: [eur("10")] },
    });
    const below = await delegate(child.headers, "looker", { budget: [eur("6")] });
    const askers = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? child : below));
    const codes = await Promise.all(askers.map(({ headers }) => code(headers, "1")));
    expect(codes.filter((one) => one === "rule_allowed")).toHaveLength(10);
    expect(codes.filter((one) => one !== "rule_allowed" && one !== "budget_exhausted")).toEqual([]);
    expect(await left(child)).toEqual([["10", "0"]]);
    const [[held]] = (await left(below)) as [[string, string]];
    expect(Number(held)).toBeLessThanOrEqual(6);
  });
});

describe("a session that counts on budgets", () => {
  async function declare(name: string, spec: string) {
    const text = `{apiVersion: remit/v1, kind: Budget, metadata: {name: ${name}}, spec: ${spec}}`;
    const { problems } = await house.clients.budgets.putBudget({ document: { file: "b.yaml", text } }, owner());
    expect(problems).toEqual([]);
  }

  test("is opened where each is declared, hard and covers it, and its names are kept", async () => {
    const day = 'unit: EUR, limit: "500", window: day';
    await declare("all", `{${day}}`);
    await declare("mine", `{${day}, owner: {agent: clerk}}`);
    await declare("paying", `{${day}, owner: {tool: "payments.*"}}`);
    await declare("others", `{${day}, owner: {agent: helper}}`);
    await declare("hers", `{${day}, owner: {principal: ada}}`);
    await declare("watched", `{${day}, enforcement: soft}`);
    const names = ["all", "mine", "paying"];
    const { session } = await openSession(house, { budgets: [...names, "all"] });
    expect(session.budgets).toEqual(names);
    const seen = await house.clients.sessions.getSession({ sessionId: session.id }, owner());
    expect(seen.session?.budgets).toEqual(names);
    const refused = async (...budgets: string[]) => (await failure(openSession(house, { budgets }))).detail;
    expect(await refused("all", "gone")).toMatchObject({ reason: "budget_unknown", field: "budgets[1]" });
    expect(await refused("watched")).toMatchObject({ reason: "request_invalid", field: "budgets[0]" });
    expect(await refused("others")).toMatchObject({ reason: "request_invalid", field: "budgets[0]" });
    expect(await refused("hers")).toMatchObject({ reason: "request_invalid", field: "budgets[0]" });
    const principal = { case: "principal" as const, value: { id: "ada" } };
    expect((await openSession(house, { budgets: ["hers"], onBehalfOf: principal })).session.budgets).toEqual(["hers"]);
  });
});
