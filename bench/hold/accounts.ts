import { create, toBinary } from "@bufbuild/protobuf";
import { ListAccountsResponseSchema, ListHoldsRequestSchema, ListHoldsResponseSchema } from "@remit/proto/admin";
import { Outcome, type ReportRequest, ReportRequestSchema } from "@remit/proto/decision";
import { type OpenSessionRequest, OpenSessionRequestSchema } from "@remit/proto/session";
import { createExpiring } from "../../services/pdp/src/decisions/expiring.ts";
import { settlementOf } from "../../services/pdp/src/decisions/settling.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { holdRpcs } from "../../services/pdp/src/wire/admin/holds.ts";
import { toldFrom } from "../../services/pdp/src/wire/convert/ask.ts";
import { accountToWire } from "../../services/pdp/src/wire/convert/budget.ts";
import { openingFrom } from "../../services/pdp/src/wire/convert/session.ts";
import { decodeBinary } from "../../services/pdp/src/wire/lanes/decode.ts";
import { type Case, compiled, many, rule } from "./catalogue.ts";

const ID = "01900000-0000-7000-8000-000000000001";
const DIGEST = `sha256:${"a".repeat(64)}`;
const NOW = 1_780_000_000_000;

const opening: Case = {
  name: "sessions: opening one with everything at its limit",
  make: () => {
    const text = (at: number, bytes: number) => `${at}`.padEnd(bytes, "x");
    const labels = Object.fromEntries(many(60, (at) => [text(at, 255), text(at, 255)]));
    const request = {
      ...{
        agent: "clerk",
        purpose: "p".repeat(1_000),
        labels,
        subject: { case: "principal", value: { id: "mia", labels } },
      },
      scope: {
        tools: many(256, (at) => `pay${at}*`),
        bounds: many(200, (at) => ({ tool: "pay", path: `input.a${at}`, limit: { case: "max", value: 1000.5 } })),
      },
      budgets: many(16, (at) => `b${at}`),
    };
    const bytes = toBinary(OpenSessionRequestSchema, create(OpenSessionRequestSchema, request as never));
    return () => {
      const read = decodeBinary(OpenSessionRequestSchema, bytes, limits.messageValuesMax);
      return JSON.stringify(openingFrom(read as OpenSessionRequest));
    };
  },
};

const held = (at: number) => ({ account: String(at + 1), budget: `b${at}`, unit: `u${at % 16}`, amount: "10.5" });

const reporting: Case = {
  name: "reports: one of 16 amounts on a call that 128 accounts hold",
  make: () => {
    const request = {
      ...{ subject: { case: "decisionId", value: ID }, outcome: Outcome.SUCCEEDED, inputDigest: DIGEST },
      actual: many(16, (at) => ({ unit: `u${at}`, value: "123.456789" })),
      labels: many(64, (at) => `label-${at}`),
    };
    const bytes = toBinary(ReportRequestSchema, create(ReportRequestSchema, request as never));
    const snapshot = { compiled: compiled([rule(0, {})]), budgets: new Map() };
    const decided = {
      tool: "pay",
      body: { id: ID, hold: ID, holds: many(limits.callAccountsMax, held), effect: "allow" },
    };
    return () => {
      const told = toldFrom(decodeBinary(ReportRequestSchema, bytes, limits.messageValuesMax) as ReportRequest, "");
      return settlementOf(told, decided as never, snapshot as never, undefined, 0);
    };
  },
};

const expiring: Case = {
  name: "holds: 256 of 128 accounts each that run out together",
  make: () => {
    const parts = many(limits.callAccountsMax, (at) => ({
      account: BigInt(at),
      unit: "usd",
      amount: 1_500_000n,
      micros: 1_500_000n,
      hard: true,
    }));
    const holds = many(256, () => ({
      ...{
        id: ID,
        tenant: "t",
        decision: ID,
        session: ID,
        sessionDay: "2026-11-21",
        pending: false,
        expiresAtMs: NOW,
        parts,
      },
    }));
    return createExpiring({
      store: { overdueHolds: async () => holds as never },
      ledger: { record: async () => ({ outcome: "inserted" }) as never },
      charging: { heard: () => undefined } as never,
      clock: { now: () => NOW },
      newId: () => ID,
      onExpired: () => undefined,
    });
  },
};

const books = (at: number) => ({
  ...{ id: BigInt(at + 1), budget: `b${at}`, session: undefined, key: "k".repeat(400), unit: "usd", hard: true },
  ...{ limit: 10n ** 12n, ownLimit: null, held: 10n ** 9n, posted: 10n ** 11n, overage: 1n, freeze: undefined },
  ...{ alarm: 10n ** 11n, windowsBefore: 4, alarmOffAtMs: undefined, opensAtMs: NOW, closesAtMs: NOW + 86_400_000 },
});

const listed: readonly Case[] = [
  {
    name: "answer: 100 accounts with how far they are",
    make: () => {
      const all = many(limits.accountsListedMax, books);
      return () => {
        const accounts = all.map((one) => accountToWire(one as never, NOW + 3_600_000));
        return toBinary(ListAccountsResponseSchema, create(ListAccountsResponseSchema, { accounts }));
      };
    },
  },
  {
    name: "answer: 100 holds of 128 accounts each",
    make: () => {
      const amounts = many(limits.callAccountsMax, (at) => ({
        account: BigInt(at + 1),
        budget: `b${at}`,
        unit: "usd",
        micros: 1_500_000n,
      }));
      const all = many(limits.holdsListedMax, () => ({
        ...{
          id: ID,
          decision: ID,
          session: ID,
          agent: "clerk",
          tool: "pay",
          amounts,
          sinceMs: NOW,
          untilMs: NOW,
          pending: false,
        },
      }));
      const rpcs = holdRpcs({ caller: () => ({}), budgetHolds: { list: async () => all } } as never);
      return async () => {
        const answer = await rpcs.listHolds(create(ListHoldsRequestSchema), {} as never);
        return toBinary(ListHoldsResponseSchema, answer);
      };
    },
  },
];

/** Sessions, reports and accounts at their limits. */
export const accounts: readonly Case[] = [opening, reporting, expiring, ...listed];
