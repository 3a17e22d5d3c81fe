import { create } from "@bufbuild/protobuf";
import { ExchangeRequestSchema, type ExchangeResponse } from "@remit/proto/decision";
import { expect, test } from "vitest";
import type { Standing } from "../decisions/index.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Session } from "../identities/index.ts";
import type { Call } from "./call.ts";
import type { Desk } from "./desk.ts";
import { createExchange } from "./exchange.ts";

/** What is told takes so long, so that a slice of a millisecond is ten of it at most. */
const TOLD_MS = 0.1;
const SESSIONS = 50;

/** A stream with sessions of one tenant, and the news of it; every pause of telling waits to be let go. */
async function streamOfMany() {
  let news: Parameters<Standing["subscribe"]>[0] | undefined;
  let isHalted = false;
  const pauses: (() => void)[] = [];
  const session: Partial<Session> = { id: "s", tenant: "t", ancestors: [], expiresAtMs: 1e15 };
  const identities = { tokenExpiry: async () => 1e15 };
  const { rpc } = createExchange({
    desk: { whoAsks: () => async () => ({ session }), identities } as unknown as Desk,
    standing: {
      sessionBar: () => (isHalted ? "halted" : undefined),
      toolBar: () => undefined,
      revision: () => 1n,
      subscribe: (heard) => {
        news = heard;
        return () => {};
      },
    },
    clock: { now: () => 1 },
    streamLifeMs: () => 600_000,
    newsPause: () => new Promise((go) => pauses.push(go)),
  });
  const sent: ExchangeResponse[] = [];
  const send = (message: ExchangeResponse) => {
    const untilMs = performance.now() + TOLD_MS;
    while (performance.now() < untilMs);
    return sent.push(message) > 0;
  };
  const stream = rpc({} as Call, { send, end: () => {} });
  for (let at = 0; at < SESSIONS; at++) {
    const body = { case: "attach", value: { sessionToken: "token" } } as const;
    stream.receive(create(ExchangeRequestSchema, { frame: BigInt(at + 1), body }));
  }
  while (sent.length < SESSIONS) await turnOfTheLoop();
  sent.length = 0;
  return {
    halt() {
      isHalted = true;
      news?.tenantMoved("t");
    },
    told: () => sent.map(({ body }) => body.case === "notice" && body.value.body.value),
    goOn: () => pauses.shift()?.(),
    close: () => stream.closed(),
  };
}

test("what concerns very many sessions is told between the pauses that news are given, in order and to all", async () => {
  const { halt, told, goOn, close } = await streamOfMany();
  halt();
  for (let turns = 0; turns < 10; turns++) await turnOfTheLoop();
  expect(told().length).toBeGreaterThan(0);
  expect(told().length).toBeLessThan(SESSIONS / 2);
  while (told().length < SESSIONS) {
    goOn();
    await turnOfTheLoop();
  }
  expect(told()).toMatchObject(Array.from({ length: SESSIONS }, (_, at) => ({ handle: at + 1 })));
  close();
});
