import { expect, test } from "vitest";
import { createCrowdRoom } from "../../foundation/crowd-room.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { createOpenStreams, type OpenStream } from "./stream-rules.ts";

const COUNT = 1_000;

/** So many streams, and how many were told what in which turn; one that is cut, or moves when it is asked to, ends. */
function many(moves: boolean) {
  const streams = createOpenStreams(createCrowdRoom());
  const told: { readonly at: number; readonly what: string }[] = [];
  const inTurn: number[] = [];
  let turns = 0;
  for (let at = 0; at < COUNT; at++) {
    const tell = (what: string, ends: boolean) => {
      told.push({ at, what });
      inTurn[turns] = (inTurn[turns] ?? 0) + 1;
      if (ends) streams.delete(self);
    };
    const self: OpenStream = { draining: () => tell("draining", moves), cut: () => tell("cut", true) };
    streams.add(self);
  }
  const all = (what: string) => Array.from({ length: COUNT }, (_, at) => ({ at, what }));
  return {
    ...{ streams, told, all },
    mostInATurn: () => Math.max(...inTurn.filter((count) => count !== undefined)),
    /** Counts the turns until something is over. */
    async until(work: Promise<unknown>) {
      let over = false;
      void work.then(() => {
        over = true;
      });
      for (; !over; turns++) await turnOfTheLoop();
    },
  };
}

test("very many streams are told that the server stops some in a turn, in order, and those that stay are cut likewise", async () => {
  const { streams, told, all, mostInATurn, until } = many(false);
  await until(streams.drain(0));
  expect(told).toEqual([...all("draining"), ...all("cut")]);
  expect(mostInATurn()).toBeLessThan(100);
});

test("draining is over once all have ended, and nobody is cut", async () => {
  const { streams, told, all, until } = many(true);
  await until(streams.drain(600_000));
  expect(told).toEqual(all("draining"));
});

test("a stream that ends later than it was told is waited for", async () => {
  const streams = createOpenStreams(createCrowdRoom());
  const cut: unknown[] = [];
  const self: OpenStream = { draining: () => {}, cut: (reason) => cut.push(reason) };
  streams.add(self);
  const draining = streams.drain(600_000);
  await turnOfTheLoop();
  streams.delete(self);
  await draining;
  expect(cut).toEqual([]);
});
