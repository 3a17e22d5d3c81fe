import { Effect } from "@remit/proto/common";
import type { DecideResponse } from "@remit/proto/decision";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { spendingAlarm } from "../../src/behaviour/index.ts";
import { parseAmount } from "../../src/foundation/amount.ts";
import { settableClock } from "../../src/index.ts";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { Outcome, spendingIn } from "../support/spending.ts";

/*
 * Windows are the store's: what was spent a while ago is spent now and its window set back, as if an hour had gone by.
 */

let house: House;
let other: House;
let spend: ReturnType<typeof spendingIn>;

const more = () =>
  startHouse({ breakers: true, database: house.database, config: house.config, ownerKey: house.ownerKey });

beforeAll(async () => {
  house = await startHouse({ breakers: true });
  await furnish(house);
  other = await more();
  spend = spendingIn(house);
});

afterEach(async () => {
  expect(await spend.differences()).toEqual([]);
});

afterAll(async () => {
  await other.close();
  await house.close();
});

const eur = (value: string) => [{ unit: "EUR", value }];
let inputs = 0;
/** Later ones less far. */
const HOURS_BACK = 1000;
let hours = 0;

/** An agent with a budget an hour that is compared with the hours before, and a session of its. */
async function watched(name: string, anomaly: object | null = { windowsMin: 5, floor: "5" }) {
  await spend.put("Agent", name, {});
  const spec = { limit: "1000", window: "hour", owner: { agent: name }, ...(anomaly && { anomaly }) };
  await spend.budget(name, spec as never);
  return (await spend.session({ agent: name })).headers;
}

const ask = (headers: Record<string, string>, value: string, at = house) =>
  spend.decide(headers, "payments.transfer", { amount: 1, memo: `${++inputs}` }, { estimate: eur(value) }, at);

const codeOf = ({ reason }: DecideResponse) => reason?.code;

/** Spends an hour's worth, and lets the hour go by. */
async function spendAnHour(name: string, headers: Record<string, string>, values: readonly string[]) {
  for (const value of values) {
    const { decisionId, effect } = await ask(headers, value);
    expect(effect).toBe(Effect.ALLOW);
    await spend.report(headers, decisionId, Outcome.SUCCEEDED);
  }
  hours++;
  const back = `interval '1 hour' * ${HOURS_BACK - hours}`;
  const current = "budget = $1 and opens_at <= now() and now() < closes_at";
  await spend.sql(
    `update account set opens_at = opens_at - ${back}, closes_at = closes_at - ${back} where ${current}`,
    [name],
  );
}

async function spendSteadily(name: string, headers: Record<string, string>, hours: number) {
  for (let hour = 0; hour < hours; hour++) await spendAnHour(name, headers, [String(9 + (hour % 3)), "10"]);
}

test("an agent that spends steadily for hours and then jumps is stopped at the call that goes too far", async () => {
  const headers = await watched("steady");
  // Nothing is judged by too few windows, however much it is.
  await spendSteadily("steady", headers, 4);
  const early = await ask(headers, "500");
  expect(early.effect).toBe(Effect.ALLOW);
  await spend.report(headers, early.decisionId, Outcome.NOT_EXECUTED);
  await spendSteadily("steady", headers, 1);

  // 19, 20, 21, 19, 19: the median is 19, and what differs by less than a tenth counts as a tenth: 19 + 6 × 1.9.
  expect(codeOf(await ask(headers, "30.4"))).toBe("rule_allowed");
  const stopped = await ask(headers, "0.000001");
  expect(stopped).toMatchObject({
    effect: Effect.DENY,
    reason: { code: "anomalous_spend", retryable: true },
    holds: [],
  });
  const waitSeconds = Number(stopped.reason?.retryAfter?.seconds);
  expect(waitSeconds).toBeGreaterThanOrEqual(0);
  expect(waitSeconds).toBeLessThanOrEqual(3600);
  expect(stopped.reason?.detail).toBe(
    "budget steady: 0.000001 EUR needed, 30.4 spent and held in this window; above 30.4 is out of the ordinary by 5 windows before, of which the median is 19",
  );
  // A restart is no escape, nor is another replica, nor another session.
  await using after = await more();
  expect(codeOf(await ask(headers, "1", after))).toBe("anomalous_spend");
  expect(codeOf(await ask(headers, "1", other))).toBe("anomalous_spend");
  const { headers: again } = await spend.session({ agent: "steady" });
  expect(codeOf(await ask(again, "1", other))).toBe("anomalous_spend");
});

test("its entry holds all that the answer was made from", async () => {
  const headers = await watched("recorded", { deviations: 3, windowsMin: 3, floor: "2.5" });
  for (const value of ["1", "4", "8.000001"]) await spendAnHour("recorded", headers, [value]);
  await ask(headers, "3");
  const stopped = await ask(headers, "20");
  expect(codeOf(stopped)).toBe("anomalous_spend");
  const [{ breaker }] = (await plainBodies(house, "id = $1", [stopped.decisionId])).map((body) => JSON.parse(body));
  const { spending, ...note } = breaker;
  expect(note).toMatchObject({ kind: "spending", reach: "agent", of: "recorded", count: "3", opened: true });
  const micros = (value: string) => parseAmount("EUR", value, "entry").micros;
  const { median, mad, alarm } =
    spendingAlarm(spending.history.map(micros), {
      ...{ deviations: spending.deviations, windowsMin: spending.windows_min, floor: micros(spending.floor) },
    }) ?? {};
  expect(spending.history).toEqual(["8.000001", "4", "1"]);
  expect([median, mad, alarm]).toEqual([micros(spending.median), micros(spending.mad), micros(note.limit)]);
  expect(micros(note.count) + micros(spending.needed)).toBeGreaterThan(alarm ?? 0n);
});

test("an operator sees what tripped and lets the agent go on, everywhere at once, until the window ends", async () => {
  const headers = await watched("looked_at");
  await spendSteadily("looked_at", headers, 5);
  const { decisionId } = await ask(headers, "90");
  // One that is open already opens nothing again.
  await ask(headers, "91");
  const how = { headers: spend.owner };
  const listed = async () => {
    const { breakers } = await other.clients.breakers.listBreakers({ all: true }, how);
    return breakers.filter(({ agent }) => agent === "looked_at");
  };
  expect(await listed()).toMatchObject([
    {
      decisionId,
      kind: "spending",
      reach: "agent",
      budget: "looked_at",
      tool: "payments.transfer",
      open: true,
      level: 0,
    },
  ]);
  const page = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/remit_breaker_trips_total{kind="spending",mode="enforced"} [1-9]/);
  const shown = async () => (await house.clients.budgets.getBudget({ name: "looked_at" }, how)).accounts[0];
  expect(await shown()).toMatchObject({ alarm: "32", windowsBefore: 5 });

  const reset = (request: object) => house.clients.breakers.resetBreaker({ reason: "the sale", ...request }, how);
  await expect(reset({ agent: "nobody_at_all" })).rejects.toThrow("no such agent");
  await expect(reset({ agent: "looked_at", tool: "payments.transfer" })).rejects.toThrow("not counted by tool");
  await expect(reset({ agent: "looked_at", sessionId: "01900000-0000-7000-8000-000000000001" })).rejects.toThrow(
    "both",
  );
  await reset({ agent: "looked_at" });
  expect(codeOf(await ask(headers, "90", other))).toBe("rule_allowed");
  expect(codeOf(await ask(headers, "90"))).toBe("rule_allowed");
  expect(await listed()).toEqual([]);
  expect((await shown())?.alarmOffAt).toBeDefined();
  expect((await shown())?.alarm).toBe("");
  const told = await plainBodies(house, "kind = $1", ["admin"]);
  expect(told.filter((text) => text.includes('"breaker_reset"') && text.includes('"looked_at"'))).toHaveLength(1);
  // The limit binds all the same, and the next window is judged again, by this one too.
  expect(codeOf(await ask(headers, "900"))).toBe("budget_exhausted");
  await spendAnHour("looked_at", headers, []);
  expect(codeOf(await ask(headers, "90"))).toBe("anomalous_spend");
  expect(await shown()).toMatchObject({ windowsBefore: 6 });
});

test("of many calls at once, on two replicas, as many go through as are usual", async () => {
  const headers = await watched("raced", { windowsMin: 3, floor: "10" });
  for (let hour = 0; hour < 3; hour++) await spendAnHour("raced", headers, ["1"]);
  const sessions = await Promise.all(Array.from({ length: 10 }, () => spend.session({ agent: "raced" })));
  const answers = await Promise.all(
    sessions.flatMap(({ headers: as }) => [1, 2, 3, 4].map((at) => ask(as, "1", at % 2 === 0 ? house : other))),
  );
  const count = (code: string) => answers.filter((answer) => codeOf(answer) === code).length;
  expect([count("rule_allowed"), count("anomalous_spend")]).toEqual([10, 30]);
});

test("what is kept per agent is judged agent by agent", async () => {
  await spend.put("Agent", "jumper", {});
  await spend.put("Agent", "walker", {});
  const spec = {
    limit: "1000",
    window: "hour",
    per: ["agent"],
    owner: { tool: "payments.*" },
    anomaly: { windowsMin: 3, floor: "1" },
  };
  await spend.budget("each_agent", spec);
  const [jumper, walker] = [await spend.session({ agent: "jumper" }), await spend.session({ agent: "walker" })];
  for (let hour = 0; hour < 3; hour++) {
    await ask(walker.headers, "100");
    await spendAnHour("each_agent", jumper.headers, ["10"]);
  }
  expect(codeOf(await ask(jumper.headers, "100"))).toBe("anomalous_spend");
  expect(codeOf(await ask(walker.headers, "100"))).toBe("rule_allowed");
  const how = { headers: spend.owner };
  await house.clients.breakers.resetBreaker({ agent: "walker", reason: "not this one" }, how);
  expect(codeOf(await ask(jumper.headers, "100"))).toBe("anomalous_spend");
  await house.clients.breakers.resetBreaker({ agent: "jumper", reason: "this one" }, how);
  expect(codeOf(await ask(jumper.headers, "100"))).toBe("rule_allowed");
  await house.clients.budgets.deleteBudgets({ names: ["each_agent"] }, how);
});

test("settings bind the window that is open, from the change that makes them, and so does taking them away", async () => {
  const headers = await watched("settled", null);
  await spendSteadily("settled", headers, 5);
  expect(codeOf(await ask(headers, "50"))).toBe("rule_allowed");
  const set = (anomaly: object | undefined, limit = "1000") =>
    spend.budget("settled", {
      limit,
      window: "hour",
      owner: { agent: "settled" },
      ...(anomaly && { anomaly }),
    } as never);
  await set({ windowsMin: 5, floor: "5" });
  expect(codeOf(await ask(headers, "1", other))).toBe("anomalous_spend");
  expect(codeOf(await ask(headers, "1"))).toBe("anomalous_spend");
  await set({ windowsMin: 5, floor: "51" });
  expect(codeOf(await ask(headers, "1"))).toBe("rule_allowed");
  expect(codeOf(await ask(headers, "0.5", other))).toBe("anomalous_spend");
  // Without a floor of its own it is a fifth of the limit, which may be raised.
  await set({ windowsMin: 5 }, "255");
  expect(codeOf(await ask(headers, "0.5"))).toBe("anomalous_spend");
  const how = { headers: spend.owner };
  const raise = { budget: "settled", limit: { unit: "EUR", value: "260" }, reason: "more" };
  await house.clients.budgets.raiseBudget(raise, how);
  expect(codeOf(await ask(headers, "0.5"))).toBe("rule_allowed");
  expect(codeOf(await ask(headers, "50"))).toBe("anomalous_spend");
  await set({ windowsMin: 6 });
  expect(codeOf(await ask(headers, "50", other))).toBe("rule_allowed");
  await set(undefined);
  expect(codeOf(await ask(headers, "100"))).toBe("rule_allowed");
});

test("explaining a call says what would stop it, also of a window that is not open yet, and opens none", async () => {
  const headers = await watched("explained");
  await spendSteadily("explained", headers, 5);
  const explain = async (value: string) => {
    const input = { case: "inputObject", value: { amount: 1 } } as const;
    const call = { callId: spend.id(), tool: "payments.transfer", input, estimate: eur(value) };
    const { verdict, budgets } = await house.clients.decisions.explain({ call }, { headers });
    return [verdict?.reason?.code, budgets.find(({ budget }) => budget === "explained")?.refuses];
  };
  expect(await explain("32")).toEqual(["rule_allowed", ""]);
  expect(await explain("32.000001")).toEqual(["anomalous_spend", "anomalous_spend"]);
  expect(await spend.books("explained")).toHaveLength(5);
  await ask(headers, "2");
  expect(await explain("30.000001")).toEqual(["anomalous_spend", "anomalous_spend"]);
});

test("where calls are observed nothing is stopped, and `would` says what would have been", async () => {
  const headers = await watched("seen_only");
  await spendSteadily("seen_only", headers, 5);
  await spend.put("Agent", "seen_only", { mode: "observe" });
  // Windows are set back by hand here, which only those do not notice that knew the account before.
  const { effect, would, decisionId } = await ask(headers, "90", other);
  expect([effect, would?.effect, would?.reason?.code]).toEqual([Effect.ALLOW, Effect.DENY, "anomalous_spend"]);
  const [{ breaker }] = (await plainBodies(house, "id = $1", [decisionId])).map((body) => JSON.parse(body));
  expect(breaker).toMatchObject({ kind: "spending", observed: true, count: "0", spending: { needed: "90" } });
  const { breakers } = await other.clients.breakers.listBreakers({ all: false }, { headers: spend.owner });
  expect(breakers.filter(({ agent }) => agent === "seen_only")).toMatchObject([{ observed: true, decisionId }]);
});

test("settings bind the window that is open of observed calls too, whose accounts are known from before", async () => {
  const headers = await watched("seen_later", null);
  await spendSteadily("seen_later", headers, 5);
  await spend.put("Agent", "seen_later", { mode: "observe" });
  const would = async () => (await ask(headers, "90", other)).would?.reason?.code;
  expect(await would()).toBe("rule_allowed");
  const anomaly = { windowsMin: 5, floor: "5" };
  await spend.budget("seen_later", { limit: "1000", window: "hour", owner: { agent: "seen_later" }, anomaly });
  await expect.poll(would, { timeout: 15_000 }).toBe("anomalous_spend");
});

test("what tripped is listed until its window ends, long after other breakers are forgotten", async () => {
  await spend.put("Agent", "monthly", {});
  const spec = { limit: "1000", window: "month", owner: { agent: "monthly" }, anomaly: { windowsMin: 3, floor: "5" } };
  await spend.budget("monthly", spec);
  await spend.sql(
    `select remit_open_accounts_at('default', array['monthly'], array[''], now() - interval '1 month' * m) from generate_series(1, 3) m`,
  );
  await spend.sql("update account set held = 0, posted = 1000000, ceiling = 1000000000 where budget = 'monthly'");
  const clock = settableClock(Date.now() - 5 * 3_600_000);
  const { database, config, ownerKey } = house;
  await using earlier = await startHouse({ breakers: true, database, config, ownerKey, clock });
  const { headers } = await spendingIn(earlier).session({ agent: "monthly" });
  const { decisionId, reason } = await ask(headers, "6", earlier);
  expect(reason?.code).toBe("anomalous_spend");
  const { breakers } = await house.clients.breakers.listBreakers({}, { headers: spend.owner });
  expect(breakers.filter(({ agent }) => agent === "monthly")).toMatchObject([{ decisionId, open: true }]);
  // Books that were written by hand are nobody's records.
  await spend.sql("delete from account where budget = 'monthly'");
});
