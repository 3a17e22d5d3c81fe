import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leastUuidAt } from "../foundation/ids.ts";
import { createBehaviour } from "./behaviour.ts";
import type { CallEvent } from "./event.ts";
import { createRunMemory, WINDOW_MS } from "./memory.ts";
import { trailOf } from "./trail.ts";

const START_MS = 1_780_000_000_000;

const callAt = (second: number, call: string, attempt: number): CallEvent => ({
  ...{ event: "call", id: leastUuidAt(START_MS + second * 1000), atMs: START_MS + second * 1000 },
  ...{ session: "s", tool: "pay", input: "i", call, attempt, said: "denied", denial: "policy" },
});

const events = fc.uniqueArray(
  fc.record({
    second: fc.integer({ min: 0, max: (2 * WINDOW_MS) / 1000 }),
    call: fc.constantFrom("a", "b", "c"),
    attempt: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: ({ second }) => second, maxLength: 40 },
);

describe("what is remembered of a tool in a run", () => {
  it("tells a later attempt from the first that is left of its call, in whatever order they came", () => {
    fc.assert(
      fc.property(events, (all) => {
        const memory = createRunMemory();
        for (const { second, call, attempt } of all) memory.add(callAt(second, call, attempt));
        const known = memory.of("pay");
        for (const [at, event] of (known?.calls ?? []).entries()) {
          const earlier = known?.calls.slice(0, at).some(({ call }) => call === event.call) ?? false;
          expect(known?.isAgain(event)).toBe(event.attempt !== 1 && earlier);
        }
        expect(memory.size).toBe(known?.calls.length ?? 0);
      }),
    );
  });

  it("keeps the events in the order of their ids, each once", () => {
    fc.assert(
      fc.property(events, (all) => {
        const memory = createRunMemory();
        for (const { second, call, attempt } of [...all, ...all]) memory.add(callAt(second, call, attempt));
        const ids = memory.of("pay")?.calls.map(({ id }) => id) ?? [];
        expect(ids).toEqual([...new Set(ids)].sort());
      }),
    );
  });
});

describe("reading what the store has", () => {
  const trails = Array.from({ length: 1_000 }, (_, at) => {
    const event = callAt(at / 10, `c${at}`, 1);
    return { run: "r", id: event.id, session: "s", subject: null, trail: trailOf(event) };
  });
  const behaviourWith = (pauses: { count: number }) =>
    createBehaviour({
      ...{ runsMax: 10, eventsMax: 10_000 },
      pause: async () => void pauses.count++,
      store: {
        latest: async () => trails.toReversed(),
        since: async (cursors) => ({ cursors: new Map(), records: cursors ? trails : [] }),
        resets: async () => [],
      },
    });

  it("gives the turn back again and again, and forgets nothing", async () => {
    const pauses = { count: 0 };
    const behaviour = behaviourWith(pauses);
    const memory = await behaviour.load("t", "r", START_MS + 200_000);
    expect([memory.size, pauses.count]).toEqual([1_000, 4]);
    await behaviour.follow();
    await behaviour.follow();
    expect([behaviour.held("r")?.size, pauses.count]).toEqual([1_000, 8]);
  });
});
