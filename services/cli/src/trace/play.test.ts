import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Effect } from "@remit/proto/common";
import { DecideResponseSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import type { Asker } from "./asker.ts";
import { type PlayOptions, play, START_MS } from "./play.ts";
import type { Played } from "./tally.ts";
import { readTraceLine } from "./trace-line.ts";

const HOUR_MS = 3_600_000;
const SESSION_MS = 30 * 24 * HOUR_MS;

interface Line {
  run?: string;
  tool?: string;
  at?: string;
  error?: boolean;
}

/** Plays lines against a service in memory: `tool` says what is answered. */
async function played(lines: Line[], principalOf: PlayOptions["principalOf"] = (run) => `for ${run}`) {
  const events: string[] = [];
  const results: Played[] = [];
  let nowMs = 0;
  const session = (id: string, openedMs: number) => {
    return { id, token: `token ${id}`, tokenExpiresAtMs: nowMs + HOUR_MS, expiresAtMs: openedMs + SESSION_MS };
  };
  const asker: Asker = {
    open: async (run, principal) => {
      events.push(`open ${run} ${principal}`);
      return session(run, nowMs);
    },
    renew: async ({ id, expiresAtMs }) => {
      events.push(`renew ${id}`);
      return session(id, expiresAtMs - SESSION_MS);
    },
    decide: async (_, call) => {
      events.push(`decide ${call.line} at ${(nowMs - START_MS) / 1000}`);
      if (call.tool === "huge") throw new ConnectError("too large", Code.InvalidArgument);
      if (call.tool === "down") throw new ConnectError("away", Code.Unavailable);
      const effect = call.tool === "delete" ? Effect.DENY : Effect.ALLOW;
      const rules = [{ policy: "p", version: 1, rule: call.tool }];
      return create(DecideResponseSchema, {
        decisionId: `d${call.line}`,
        effect,
        reason: { code: "c", message: "m" },
        rules,
      });
    },
    report: async (_, decisionId, failed) => {
      events.push(`report ${decisionId} ${failed ? "failed" : "succeeded"}`);
    },
  };
  async function* trace() {
    for (const [at, line] of lines.entries()) {
      yield readTraceLine(JSON.stringify({ run: "a", tool: "read", step: at, input: {}, ...line }), at + 1);
    }
  }
  const setTime = (ms: number) => {
    nowMs = ms;
  };
  const result = await play({
    trace: trace(),
    principalOf,
    asker,
    setTime,
    onPlayed: (call) => void results.push(call),
  });
  return { events, results, result };
}

test("every run has one session, for its principal", async () => {
  const { events } = await played([{ run: "a" }, { run: "b" }, { run: "a" }]);
  expect(events.filter((event) => event.startsWith("open"))).toEqual(["open a for a", "open b for b"]);
});

test("an allowed call is reported as the log says it went; a denied one did not run and is not", async () => {
  const { events } = await played([{}, { error: true }, { tool: "delete" }]);
  expect(events.filter((event) => event.startsWith("report"))).toEqual(["report d1 succeeded", "report d2 failed"]);
});

test("time is one call a second, or what the log says", async () => {
  const at = new Date(START_MS + 60_000).toISOString();
  const { events } = await played([{}, {}, { at }, {}]);
  expect(events.filter((event) => event.startsWith("decide"))).toEqual([
    "decide 1 at 0",
    "decide 2 at 1",
    "decide 3 at 60",
    "decide 4 at 61",
  ]);
});

test("a session is renewed before its token runs out", async () => {
  const at = new Date(START_MS + HOUR_MS).toISOString();
  const { events } = await played([{}, {}, { at }]);
  expect(events.filter((event) => event.startsWith("renew"))).toEqual(["renew a"]);
});

test("a run that is longer than a session may live gets another session", async () => {
  const at = new Date(START_MS + SESSION_MS).toISOString();
  const { events } = await played([{}, { at }]);
  expect(events.filter((event) => /^(open|renew)/.test(event))).toEqual(["open a for a", "open a for a"]);
});

test("a call that the service refuses to read is counted apart, and the rest is played", async () => {
  const { results, result } = await played([{ tool: "huge" }, {}]);
  expect(results).toMatchObject([
    { line: 1, effect: "error", rules: [] },
    { line: 2, effect: "allow", rules: ["p/read"] },
  ]);
  expect(result.tally.total).toMatchObject({ error: 1, allow: 1 });
});

test("a service that is away ends the play", async () => {
  await expect(played([{ tool: "down" }])).rejects.toThrow("away");
});
