import { HoldEnd } from "@remit/proto/admin";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAccount } from "../support/books.ts";
import { failure, type House, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";

let house: House;
let headers: { authorization: string };
let accountId: string;
let foreignId: string;
let before: string;

const reason = "tried";
const spec = '{ unit: EUR, limit: "100", window: day, timeZone: Europe/Berlin }';

const put = (name: string, text: string, by = headers) =>
  house.clients.budgets.putBudget(
    {
      document: {
        file: "b.yaml",
        text: `apiVersion: remit/v1\nkind: Budget\nmetadata: { name: ${name} }\nspec: ${text}\n`,
      },
    },
    { headers: by },
  );

/** Everything that a request could have changed. */
const rows = () =>
  withClient(house.database.superuserUrl, async (client) => {
    const { rows } = await client.query<{
      all: string;
    }>(`select (select jsonb_agg(to_jsonb(b) order by b.tenant, b.name) from budget b)
      || coalesce((select jsonb_agg(to_jsonb(a) order by a.id) from account a), '[]')
      || coalesce((select jsonb_agg(to_jsonb(h) order by h.id) from hold h), '[]') as all`);
    return JSON.stringify(rows[0]?.all);
  });

beforeAll(async () => {
  house = await startHouse();
  headers = { authorization: `Bearer ${house.ownerKey}` };
  await put("trips", spec);
  await put("counted", '{ unit: calls, limit: "3", window: day }');
  accountId = await openAccount(house.database, "default", { budget: "trips" });
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant: "other" }, { headers });
  await put("trips", spec, { authorization: `Bearer ${ownerKey}` });
  foreignId = await openAccount(house.database, "other", { budget: "trips" });
  before = await rows();
});
afterAll(() => house.close());

const eur = (value: string) => ({ unit: "EUR", value });
const raise = (request: object) => house.clients.budgets.raiseBudget({ reason, ...request }, { headers });
const lower = (request: object) => house.clients.budgets.lowerBudget({ reason, ...request }, { headers });

test.each([
  ["negative", "-1"],
  ["minus nothing", "-0"],
  ["more precise than millionths", "1.0000001"],
  ["more than 2^61 millionths", "2305843009213.693953"],
  ["longer than any", "9".repeat(400)],
  ["not a number", "NaN"],
  ["without an end", "Infinity"],
  ["in powers of ten", "1e3"],
  ["in hexadecimal", "0x10"],
  ["with a plus", "+1"],
  ["with a comma", "1,5"],
  ["without a whole part", ".5"],
  ["without a fraction after its point", "1."],
  ["with leading zeros", "007"],
  ["with blanks", " 5 "],
  ["in other digits", "٥"],
  ["empty", ""],
])("an amount that is %s is refused by name, and nothing changes", async (_what, value) => {
  for (const set of [raise, lower]) {
    for (const target of [{ budget: "trips" }, { accountId }]) {
      expect(await failure(set({ ...target, limit: eur(value) }))).toMatchObject({
        code: "InvalidArgument",
        detail: { reason: "request_invalid", field: "limit.value", limit: expect.stringMatching(/\d/) },
      });
    }
  }
  if (value === "") return;
  expect(await failure(raise({ budget: "trips", limit: eur("500"), expected: value }))).toMatchObject({
    detail: { field: "expected.value" },
  });
});

test("whatever text an amount is, it is set exactly, or refused and nothing changes", async () => {
  const digits = fc.array(fc.constantFrom(..."0123456789.-+eE, _N\u0000\ud800٥"), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(digits, async (characters) => {
      const value = characters.join("").toWellFormed();
      const done = await lower({ budget: "trips", limit: { unit: "EUR", value } }).catch(() => undefined);
      if (!done) {
        expect(await rows()).toBe(before);
        return;
      }
      expect(value).toMatch(/^(?:0|[1-9]\d*)(?:\.\d{1,6})?$/);
      await raise({ budget: "trips", limit: eur("100"), expected: value });
      // The declaration is the same again but for its revision and its spelling.
      before = await rows();
    }),
    { numRuns: 60 },
  );
});

test.each<[string, () => Promise<unknown>, object]>([
  ["another unit", () => raise({ budget: "trips", limit: { unit: "USD", value: "500" } }), { field: "limit.unit" }],
  [
    "a unit that is none",
    () => raise({ budget: "trips", limit: { unit: "eur os", value: "500" } }),
    { field: "limit.unit" },
  ],
  ["no limit", () => raise({ budget: "trips" }), { field: "limit" }],
  ["half a call", () => raise({ budget: "counted", limit: { unit: "", value: "3.5" } }), { field: "limit.value" }],
  ["a raise that lowers", () => raise({ budget: "trips", limit: eur("99.999999") }), { field: "limit.value" }],
  ["a lowering that raises", () => lower({ budget: "trips", limit: eur("100.000001") }), { field: "limit.value" }],
  ["no reason", () => raise({ budget: "trips", limit: eur("500"), reason: "" }), { field: "reason" }],
  ["a long reason", () => raise({ budget: "trips", limit: eur("500"), reason: "x".repeat(1025) }), { field: "reason" }],
  [
    "another limit than expected",
    () => raise({ budget: "trips", limit: eur("500"), expected: "99" }),
    { reason: "revision_conflict" },
  ],
  ["no budget", () => raise({ limit: eur("500") }), { field: "budget" }],
  ["a budget and an account", () => raise({ budget: "trips", accountId, limit: eur("500") }), { field: "account_id" }],
  ["an unknown budget", () => raise({ budget: "nothing", limit: eur("500") }), { reason: "budget_unknown" }],
  [
    "an account of another tenant",
    () => raise({ accountId: foreignId, limit: eur("500") }),
    { reason: "account_unknown" },
  ],
  ["an account that never was", () => lower({ accountId: "999999", limit: eur("5") }), { reason: "account_unknown" }],
  [
    "a number beyond 64 bits",
    () => lower({ accountId: "9223372036854775808", limit: eur("5") }),
    { field: "account_id" },
  ],
  ["an account by a word", () => lower({ accountId: "trips", limit: eur("5") }), { field: "account_id" }],
  [
    "freezing another tenant's",
    () => house.clients.budgets.freezeBudget({ accountId: foreignId, reason }, { headers }),
    { reason: "account_unknown" },
  ],
  [
    "thawing what is unknown",
    () => house.clients.budgets.unfreezeBudget({ budget: "nothing", reason }, { headers }),
    { reason: "budget_unknown" },
  ],
  [
    "a hold that never was",
    () =>
      house.clients.budgets.resolveHold(
        { holdId: "00000000-0000-7000-8000-000000000000", as: HoldEnd.SPENT, reason },
        { headers },
      ),
    { reason: "hold_unknown" },
  ],
  [
    "a hold by a word",
    () => house.clients.budgets.resolveHold({ holdId: "it", as: HoldEnd.SPENT, reason }, { headers }),
    { field: "hold_id" },
  ],
  [
    "an end that is not said",
    () => house.clients.budgets.resolveHold({ holdId: "00000000-0000-7000-8000-000000000000", reason }, { headers }),
    { field: "as" },
  ],
  [
    "a page of another list",
    () => house.clients.budgets.listAccounts({ budget: "trips", pageToken: "1/x" }, { headers }),
    { field: "page_token" },
  ],
  [
    "a page of holds that is none",
    () => house.clients.budgets.listHolds({ pageToken: "1" }, { headers }),
    { field: "page_token" },
  ],
])("%s is refused by name, and nothing changes", async (_what, ask, detail) => {
  expect((await failure(ask())).detail).toMatchObject(detail);
  expect(await rows()).toBe(before);
});

test.each([
  [
    "a time zone that does not exist",
    '{ unit: EUR, limit: "5", window: day, timeZone: Europe/Berlim }',
    "Europe/Berlin",
  ],
  ["a time zone of a lifetime", '{ unit: EUR, limit: "5", window: lifetime, timeZone: Europe/Berlin }', "time zone"],
  ["a limit below nothing", '{ unit: EUR, limit: "-5", window: day }', "decimal"],
  ["a limit that is no text", "{ unit: EUR, limit: 5, window: day }", "decimal"],
  ["an over-precise limit", '{ unit: EUR, limit: "5.0000001", window: day }', "decimal"],
  ["a limit beyond 64 bits", '{ unit: EUR, limit: "99999999999999", window: day }', "decimal"],
  ["a unit that is none", '{ unit: Euros, limit: "5", window: day }', "currency"],
  ["a window that is none", '{ unit: EUR, limit: "5", window: fortnight }', "fortnight"],
])("a declaration with %s is refused with its place, and the one before stands", async (_what, text, says) => {
  const { problems, budget } = await put("trips", text);
  expect(budget).toBeUndefined();
  expect(problems.map(({ message, expected, nearest }) => `${message} ${expected} ${nearest}`).join()).toContain(says);
  expect(await rows()).toBe(before);
});
