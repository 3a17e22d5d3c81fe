import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStream } from "../support/exchange-stream.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
let token: string;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ token } = await openSession(house));
});

afterAll(() => house.close());

const decide = (handle: number, callId: string, amount = 1) =>
  ({
    case: "decide",
    value: {
      handle,
      call: {
        callId,
        tool: "payments.transfer",
        input: { case: "inputJson", value: Buffer.from(`{"amount":${amount}}`) },
      },
    },
  }) as const;

test("sessions attach, many calls are in flight, each answer carries its frame", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  const frames = Array.from({ length: 50 }, (_, at) => BigInt(at + 2));
  for (const frame of frames) stream.send(frame, decide(handle, `many-${frame}`, Number(frame)));
  for (const frame of [...frames].reverse()) {
    const answer = await stream.answer(frame);
    expect(answer.case).toBe("decided");
    expect(answer.value).toMatchObject({ effect: frame === 13n ? Effect.CLARIFY : Effect.ALLOW });
  }
  expect(await stream.end()).toBe(0);
});

test("a decision made on a stream can be reported on it", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  stream.send(2n, decide(handle, "reported"));
  const decided = await stream.answer(2n);
  if (decided.case !== "decided") throw new Error("not decided");
  const subject = { case: "decisionId", value: decided.value.decisionId } as const;
  stream.send(3n, { case: "report", value: { handle, report: { subject, outcome: Outcome.SUCCEEDED } } });
  expect(await stream.answer(3n)).toMatchObject({ case: "reported", value: { outcome: Outcome.SUCCEEDED } });
  await stream.end();
});

test("an error is the frame's own, and the stream goes on", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  stream.send(2n, decide(handle + 1, "no-handle"));
  stream.send(3n, decide(handle, ""));
  stream.send(4n, { case: "attach", value: { sessionToken: "nonsense" } });
  stream.send(5n, { case: "detach", value: { handle } });
  expect(await stream.answer(2n)).toMatchObject({
    case: "error",
    value: { code: 5, detail: { reason: "handle_unknown" } },
  });
  expect(await stream.answer(3n)).toMatchObject({ case: "error", value: { code: 3, detail: { field: "call_id" } } });
  expect(await stream.answer(4n)).toMatchObject({
    case: "error",
    value: { code: 16, detail: { reason: "token_invalid" } },
  });
  expect(await stream.answer(5n)).toMatchObject({ case: "detached" });
  stream.send(6n, decide(handle, "after-detach"));
  expect(await stream.answer(6n)).toMatchObject({ case: "error", value: { detail: { reason: "handle_unknown" } } });
  await stream.end();
});

test("calls sent before the half-close are answered after it", async () => {
  const stream = openStream(house);
  const handle = await stream.attach(1n, token);
  for (let frame = 2n; frame < 12n; frame++) stream.send(frame, decide(handle, `closing-${frame}`));
  expect(await stream.end()).toBe(10);
});

test("a service that stops asks its streams to move, and answers what they had asked", async () => {
  const other = await startHouse();
  await furnish(other);
  const opened = await openSession(other);
  const stream = openStream(other);
  const handle = await stream.attach(1n, opened.token);
  stream.send(2n, decide(handle, "last"));
  expect(await stream.answer(2n)).toMatchObject({ case: "decided" });
  const closing = other.close();
  expect(await stream.noticed(1)).toMatchObject([{ case: "reconnect" }]);
  await stream.end();
  await closing;
});
