import { Outcome } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { furnish, openSession, startHouse } from "../support/pdp.ts";

test("a call that was given up and is said to have run after all is told to whoever watches the log", async () => {
  const errors: string[] = [];
  await using house = await startHouse({ log: { ...silentLog, error: (_, message) => errors.push(message) } });
  await furnish(house);
  const { headers } = await openSession(house);
  const { decisionId } = await house.clients.decisions.decide(
    { callId: "twice", tool: "payments.transfer", input: { case: "inputObject", value: { amount: 5 } } },
    { headers },
  );
  const say = (subject: { case: "decisionId" | "callId"; value: string }, outcome: Outcome) =>
    house.clients.decisions.report({ subject, outcome }, { headers });
  for (const _ of [1, 2]) await say({ case: "callId", value: "twice" }, Outcome.NOT_EXECUTED);
  expect(errors).toEqual([]);
  const after = await say({ case: "decisionId", value: decisionId }, Outcome.SUCCEEDED);
  expect(after).toMatchObject({ replayed: true, outcome: Outcome.NOT_EXECUTED });
  expect(errors).toEqual(["what ran is not what was decided"]);
});
