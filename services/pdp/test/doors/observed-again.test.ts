import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});

afterAll(() => house.close());

async function observed(name: string, status = "active", mode = "observe") {
  const text = `{apiVersion: remit/v1, kind: Agent, metadata: {name: ${name}}, spec: {mode: ${mode}, status: ${status}}}`;
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  await house.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers });
}

type Headers = Awaited<ReturnType<typeof openSession>>["headers"];

const read = (headers: Headers, callId: string, input: Record<string, string> = {}) =>
  house.clients.decisions.decide(
    { callId, tool: "invoices.read", input: { case: "inputObject", value: input as never } },
    { headers },
  );

const giveUp = (headers: Headers, callId: string) =>
  house.clients.decisions.report(
    { subject: { case: "callId", value: callId }, outcome: Outcome.NOT_EXECUTED },
    { headers },
  );

test("an operator's hand stops an observed call that ran or was given up before, as it stops any other", async () => {
  await observed("halted");
  const { headers } = await openSession(house, { agent: "halted" });
  const ran = await read(headers, "ran");
  await house.clients.decisions.report(
    { subject: { case: "decisionId", value: ran.decisionId }, outcome: Outcome.SUCCEEDED },
    { headers },
  );
  await giveUp(headers, "given-up");
  await observed("halted", "suspended");
  for (const callId of ["ran", "given-up"]) {
    expect(await read(headers, callId)).toMatchObject({ effect: Effect.DENY, reason: { code: "agent_suspended" } });
  }
});

test("an observed call that was given up is one call all the same: another under its id is refused", async () => {
  await observed("watched");
  const { headers } = await openSession(house, { agent: "watched" });
  await giveUp(headers, "overtaken");
  const first = await read(headers, "overtaken", { id: "I-1" });
  expect(first).toMatchObject({ effect: Effect.ALLOW, attempt: 2, would: { reason: { code: "already_executed" } } });
  expect(await read(headers, "overtaken", { id: "I-1" })).toMatchObject({
    ...{ decisionId: first.decisionId, replayed: true },
  });
  const another = await failure(read(headers, "overtaken", { id: "I-2" }));
  expect(another).toMatchObject({ code: "AlreadyExists", detail: { reason: "call_id_reused" } });
});

test("what was allowed while policies were watched is theirs to allow once they bind, within its minute too", async () => {
  await observed("bound-later");
  const { headers } = await openSession(house, { agent: "bound-later" });
  const ask = (callId: string, tool: string, input: object) =>
    house.clients.decisions.decide(
      {
        callId,
        tool,
        input: { case: "inputObject", value: input as never },
        supportedConstraints: ["timeout", "maxOutputBytes"],
      },
      { headers },
    );
  const calls = [
    ["denied", "payments.transfer", { amount: 20_000 }, "rule_denied"],
    ["paused", "payments.transfer", { amount: 600 }, "decision_expired"],
    ["changed", "fs.write_file", { path: "/etc/passwd" }, "decision_expired"],
    ["allowed", "invoices.read", {}, "observed"],
  ] as const;
  for (const [callId, tool, input] of calls) expect((await ask(callId, tool, input)).effect).toBe(Effect.ALLOW);
  await observed("bound-later", "active", "enforce");
  for (const [callId, tool, input, code] of calls) {
    const effect = code === "observed" ? Effect.ALLOW : Effect.DENY;
    expect(await ask(callId, tool, input)).toMatchObject({ effect, replayed: true, reason: { code } });
  }
});
