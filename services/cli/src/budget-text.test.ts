import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BudgetAccountSchema, BudgetSchema } from "@remit/proto/admin";
import { BudgetTraceSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import {
  accountLines,
  budgetTraceLines,
  burnBar,
  declarationText,
  keyText,
  stateText,
  zonedText,
} from "./budget-text.ts";

const account = (part: MessageInitShape<typeof BudgetAccountSchema> = {}) =>
  create(BudgetAccountSchema, {
    ...{ unit: "EUR", limit: "100", spent: "60", overage: "0", held: "10", free: "30", over: "0" },
    ...{ limitUsedBasisPoints: 7000, windowOverBasisPoints: 5000 },
    closesAt: timestampFromMs(Date.parse("2026-10-25T23:00:00Z")),
    ...part,
  });

test("the bar shows what is used, and where the window is", () => {
  expect(burnBar(account())).toBe("[##########|###------]");
  expect(burnBar(account({ limitUsedBasisPoints: 0, windowOverBasisPoints: 0 }))).toBe("[|-------------------]");
  expect(burnBar(account({ limitUsedBasisPoints: 25000, windowOverBasisPoints: 10000 }))).toBe(
    "[###################|]",
  );
  const { closesAt: _closes, ...lifetime } = account();
  expect(burnBar(create(BudgetAccountSchema, lifetime))).toBe("[##############------]");
});

test("times are told in the window's zone, also on the day on which its clocks change", () => {
  // Berlin left summer time at 03:00 of this day.
  expect(zonedText(timestampFromMs(Date.parse("2026-10-24T22:00:00Z")), "Europe/Berlin")).toBe(
    "2026-10-25 00:00 Europe/Berlin",
  );
  expect(zonedText(timestampFromMs(Date.parse("2026-10-25T23:00:00Z")), "Europe/Berlin")).toBe(
    "2026-10-26 00:00 Europe/Berlin",
  );
  expect(zonedText(timestampFromMs(0), "")).toBe("1970-01-01 00:00 UTC");
  expect(zonedText(undefined, "")).toBe("");
});

test("an account is told with what it refuses by and until when", () => {
  const exhaustedAt = timestampFromMs(Date.parse("2026-10-25T20:30:00Z"));
  expect(accountLines(account({ exhaustedAt }), "Europe/Berlin")).toEqual([
    "limit     100 EUR",
    "spent     60 EUR",
    "held      10 EUR",
    "free      30 EUR",
    "used      [##########|###------] 70%, 50% of the window is over",
    "resets    2026-10-26 00:00 Europe/Berlin",
    "lasts     until 2026-10-25 21:30 Europe/Berlin, at the window's rate so far",
  ]);
  const over = account({ overage: "5", free: "0", over: "20", ownLimit: true, freeze: { reason: "INC-7" } });
  expect(accountLines(over, "").join("\n")).toContain("free      0 EUR; over the limit by 20 EUR");
  expect(accountLines(over, "").at(-1)).toContain("frozen: INC-7");
});

test("an account that is compared with the windows before it is told from where on it is unusual", () => {
  const anomaly = create(BudgetSchema, { anomaly: { deviations: 6, windowsMin: 7 } }).anomaly;
  const unusual = (part: Parameters<typeof account>[0]) =>
    accountLines(account(part), "", anomaly).filter((line) => line.startsWith("unusual"));
  expect(unusual({ alarm: "32.5", windowsBefore: 12 })).toEqual(["unusual   above 32.5 EUR, by 12 windows before it"]);
  expect(unusual({ windowsBefore: 1 })).toEqual(["unusual   not judged: 1 window before it, and it takes 7"]);
  const alarmOffAt = timestampFromMs(Date.parse("2026-11-21T12:00:00Z"));
  expect(unusual({ alarmOffAt, windowsBefore: 12 })).toEqual([
    "unusual   reset 2026-11-21T12:00:00.000Z: not judged until this window ends",
  ]);
  expect(accountLines(account(), "").join("\n")).not.toContain("unusual");
});

test("what is out of the ordinary is said in a word", () => {
  expect(stateText(undefined, undefined)).toBe("");
  expect(stateText(account(), undefined)).toBe("");
  expect(stateText(account({ free: "0" }), undefined)).toBe("used up, refuses");
  expect(stateText(account({ free: "0", over: "5" }), undefined)).toBe("over by 5, refuses");
  expect(stateText(account({ free: "0", over: "5" }), undefined, true)).toBe("over by 5");
  expect(stateText(account({ freeze: { reason: "" } }), undefined)).toBe("frozen");
});

test("a key is told by its values, and one that is too long by its digest", () => {
  expect(keyText(account({ key: '{"per":{"input.customer":{"id":7},"principal":"ada"},"session":"s1"}' }))).toBe(
    'input.customer={"id":7}, principal=ada, session=s1',
  );
  expect(keyText(account({ key: "sha256:00" }))).toBe("sha256:00");
  expect(keyText(account())).toBe("(the only one)");
  expect(keyText(account({ sessionId: "s2" }))).toBe("session s2");
});

test("a declaration reads as a sentence", () => {
  const limit = { unit: "EUR", value: "100" };
  const declared = { limit, window: "day", timeZone: "Europe/Berlin", ownerKind: "tenant", enforcement: "hard" };
  expect(declarationText(create(BudgetSchema, declared))).toBe("100 EUR a day (Europe/Berlin), of the tenant, hard");
  const own = { limit, window: "session", ownerKind: "session", enforcement: "soft" };
  expect(declarationText(create(BudgetSchema, own))).toBe("100 EUR for a session, of each session, soft");
  const agent = { limit, window: "lifetime", ownerKind: "agent", owner: "desk", enforcement: "hard" };
  expect(declarationText(create(BudgetSchema, agent))).toBe("100 EUR for a lifetime, of agent desk, hard");
});

test("what a call would hold is a line an account, and so is what would refuse it", () => {
  const trace = (part: MessageInitShape<typeof BudgetTraceSchema>) =>
    create(BudgetTraceSchema, { unit: "EUR", hard: true, limit: "100", accountId: "7", ...part });
  const lines = budgetTraceLines([
    trace({ budget: "session:s-1", needed: "60", free: "80", freeAfter: "20" }),
    trace({
      budget: "each",
      key: '{"per":{"input.customer":"c-1"}}',
      needed: "60",
      free: "50",
      refuses: "budget_exhausted",
    }),
    trace({ budget: "team", needed: "60", free: "-5", freeAfter: "-65", hard: false, accountId: "" }),
    trace({ budget: "tokens", unit: "tokens", refuses: "estimate_missing" }),
    trace({ budget: "seen", unit: "tokens", hard: false }),
  ]);
  expect(lines).toEqual([
    "Budgets",
    "  holds    given to session s-1: 60 EUR, 80 of 100 EUR free, 20 after that",
    "  REFUSES  each (input.customer=c-1): 60 EUR needed, 50 of 100 EUR free: budget_exhausted",
    "  holds    team: 60 EUR, -5 of 100 EUR free, not opened yet, -65 after that; soft, refuses nothing",
    "  REFUSES  tokens: nobody says what the call costs in tokens: estimate_missing",
    "  covers   seen: nobody says what the call costs in tokens: counted when it is reported",
  ]);
  expect(budgetTraceLines([])).toEqual([]);
});
