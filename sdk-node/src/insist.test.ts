import { expect, test } from "vitest";
import { manualTimers } from "../test/support/manual-timers.ts";
import { GivenUp, type Insistence, insist } from "./insist.ts";

function how(timers = manualTimers(), more: Partial<Insistence> = {}) {
  const insistence: Insistence = {
    deadlineMs: 1_000,
    hedgeMs: 250,
    triesMax: 5,
    waitMs: () => 10,
    mayRetry: (error) => error === "later",
    timers,
    ...more,
  };
  return { timers, insistence };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Tries that a test settles by hand. */
function tries<T>() {
  const made: {
    n: number;
    leftMs: number;
    signal: AbortSignal;
    resolve(value: T): void;
    reject(error: unknown): void;
  }[] = [];
  const attempt = (n: number, leftMs: number, signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    made.push({ n, leftMs, signal, resolve, reject });
    return promise;
  };
  return { made, attempt };
}

test("one try that answers is all there is", async () => {
  const { timers, insistence } = how();
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence);
  made[0]?.resolve("yes");
  expect(await answer).toBe("yes");
  timers.advance(10_000);
  expect(made).toHaveLength(1);
});

test("a second try starts beside a silent first one; whichever answers ends the other", async () => {
  const { timers, insistence } = how();
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence);
  timers.advance(250);
  expect(made.map(({ n, leftMs }) => [n, leftMs])).toEqual([
    [0, 1_000],
    [1, 750],
  ]);
  made[1]?.resolve("hedged");
  expect(await answer).toBe("hedged");
  expect(made[0]?.signal.aborted).toBe(true);
});

test("what may pass is tried again after a wait, what may not ends it at once", async () => {
  const { timers, insistence } = how();
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence);
  made[0]?.reject("later");
  await turn();
  expect(made).toHaveLength(1);
  timers.advance(10);
  expect(made).toHaveLength(2);
  made[1]?.reject("never");
  await expect(answer).rejects.toBe("never");
});

test("at the deadline it is given up, with the newest error", async () => {
  const { timers, insistence } = how();
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence);
  made[0]?.reject("later");
  await turn();
  timers.advance(1_000);
  const error = await answer.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(GivenUp);
  expect(error).toMatchObject({ last: "later" });
  expect(made.every(({ signal }) => signal.aborted)).toBe(true);
});

test("tries are bounded, and the last failure gives up early", async () => {
  const { timers, insistence } = how(manualTimers(), { triesMax: 2, hedgeMs: undefined });
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence).catch((caught: unknown) => caught);
  made[0]?.reject("later");
  await turn();
  timers.advance(10);
  made[1]?.reject("later");
  expect(await answer).toMatchObject({ tries: 2, last: "later" });
  expect(timers.monotonicMs()).toBe(10);
});

test("a caller's signal ends it with the signal's reason", async () => {
  const abort = new AbortController();
  const { insistence } = how(manualTimers(), { signal: abort.signal });
  const { made, attempt } = tries<string>();
  const answer = insist(attempt, insistence);
  abort.abort("gone");
  await expect(answer).rejects.toBe("gone");
  expect(made[0]?.signal.aborted).toBe(true);
});
