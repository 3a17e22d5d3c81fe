import { expect, test } from "vitest";
import { countTurns, mostInOneTurn } from "../../test/support/turns.ts";
import { createSerial, LATE_AT_ONCE_MAX, type Serial } from "./serial.ts";

const WAIT_MS_MAX = 60_000;

/** Work that ends when a test says so. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { work: () => promise, end: resolve };
}

/** Fills the line for a tenant until it is refused; answers how much waits for it. */
function flood(serial: Serial, tenant: string, work: () => Promise<string>, all: Promise<unknown>[]) {
  const state = { refused: "", taken: 0 };
  const tries = Array.from({ length: 100 }, () => {
    const asked = serial.run({ tenant, ending: false }, work).then(
      () => {
        state.taken++;
      },
      ({ detail }) => {
        state.refused = detail.limit;
      },
    );
    all.push(asked);
    return asked;
  });
  return { state, settled: Promise.all(tries) };
}

test("things are done one at a time, in the order of asking", async () => {
  const serial = createSerial(10, WAIT_MS_MAX);
  const done: number[] = [];
  let atWork = 0;
  const turn = (tenant: string) => ({ tenant, ending: false });
  await Promise.all(
    [1, 2, 3, 4].map((number) =>
      serial.run(turn(number % 2 ? "a" : "b"), async () => {
        expect(++atWork).toBe(1);
        await Promise.resolve();
        done.push(number);
        atWork--;
      }),
    ),
  );
  expect(done).toEqual([1, 2, 3, 4]);
});

test("one that fails stops nobody behind it", async () => {
  const serial = createSerial(10, WAIT_MS_MAX);
  const turn = { tenant: "a", ending: false };
  const failed = serial.run(turn, () => Promise.reject(new Error("no")));
  const next = serial.run(turn, async () => "done");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("done");
});

test("a tenant that crowds the line leaves places for others, and what ends something always has some", async () => {
  const serial = createSerial(64, WAIT_MS_MAX);
  const { work, end } = held();
  const all: Promise<unknown>[] = [];
  const crowd = flood(serial, "crowd", work, all);
  const other = flood(serial, "other", work, all);
  const ends = Array.from({ length: 20 }, () =>
    serial.run({ tenant: "crowd", ending: true }, work).catch(() => "refused"),
  );
  end("done");
  await Promise.all([crowd.settled, other.settled]);
  // 48 places that are not kept: two thirds of them, then two thirds of what is left for one more.
  expect(crowd.state.taken).toBe(32);
  expect(other.state.taken).toBeGreaterThanOrEqual(10);
  expect(crowd.state.refused).toBe("32 changes of one tenant now");
  expect((await Promise.all(ends)).filter((one) => one === "done").length).toBeGreaterThanOrEqual(16);
  await Promise.all(all);
  await serial.idle();
});

test("those whose turn does not come in time are told so some in a turn of the loop, in order, and none of it is done", async () => {
  const serial = createSerial(200, 1);
  const { work, end } = held();
  const first = serial.run({ tenant: "a", ending: true }, work);
  const turns = countTurns();
  const told: [number, string, number][] = [];
  let done = 0;
  const behind = Array.from({ length: 100 }, (_, at) =>
    serial
      .run({ tenant: "a", ending: true }, async () => void done++)
      .catch(({ reason }) => void told.push([at, reason, turns.now()])),
  );
  await Promise.all(behind);
  turns.stop();
  end("done");
  expect(await first).toBe("done");
  await serial.idle();
  expect(done).toBe(0);
  expect(told.map(([at, reason]) => [at, reason])).toEqual(behind.map((_, at) => [at, "ledger_unavailable"]));
  expect(mostInOneTurn(told.map(([, , toldIn]) => toldIn))).toBeLessThanOrEqual(LATE_AT_ONCE_MAX);
});
