import { expect, test, vi } from "vitest";
import { digestedBytes } from "../foundation/digest.ts";
import { noTurnRoom } from "../foundation/turn-room.ts";
import { digestEntry } from "./digest-entry.ts";

const room = () => ({ ...noTurnRoom, enter: vi.fn(async () => {}) });

test("an entry that is no longer than most is digested at once", () => {
  const turns = room();
  expect(digestEntry('{"a":1}', turns, "s")).toEqual(digestedBytes("entry", '{"a":1}'));
  expect(turns.enter).not.toHaveBeenCalled();
});

test("a long one is digested in turns of its own, to the same bytes", async () => {
  const turns = room();
  const text = JSON.stringify(Array.from({ length: 100_000 }, (_, at) => `${at} ä😀`));
  const digested = digestEntry(text, turns, "s");
  expect(digested).toBeInstanceOf(Promise);
  expect(await digested).toEqual(digestedBytes("entry", text));
  expect(turns.enter.mock.calls.length).toBeGreaterThan(4);
});
