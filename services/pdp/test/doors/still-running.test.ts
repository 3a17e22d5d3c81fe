import { Outcome } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { furnish, openSession, startHouse } from "../support/pdp.ts";

const MINUTE_MS = 60_000;

test("word after word that a call still runs makes time each, though all say the same", async () => {
  const startMs = Date.now();
  const clock = settableClock(startMs);
  await using house = await startHouse({ clock });
  await furnish(house);
  const { headers } = await openSession(house);
  const { decisionId } = await house.clients.decisions.decide(
    { callId: "long", tool: "invoices.read", input: { case: "inputObject", value: {} } },
    { headers },
  );
  const say = (outcome: Outcome) =>
    house.clients.decisions.report({ subject: { case: "decisionId", value: decisionId }, outcome }, { headers });
  const until: number[] = [];
  for (const minutes of [1, 5, 9, 13]) {
    clock.set(startMs + minutes * MINUTE_MS);
    const { replayed, reportBy } = await say(Outcome.RUNNING);
    expect(replayed).toBe(false);
    until.push(Number(reportBy?.seconds));
    expect((await say(Outcome.RUNNING)).replayed).toBe(true);
  }
  expect(until.map((seconds) => seconds - (until[0] ?? 0))).toEqual([0, 240, 480, 720]);
  await say(Outcome.SUCCEEDED);
  const metrics = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  expect(metrics).not.toMatch(/^remit_reports_late_total [1-9]/m);
});
