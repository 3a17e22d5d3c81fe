import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import { createSequencer } from "./sequencer.ts";
import type { SequencerTurn } from "./sequencer-store.ts";

/** A sequencer whose turns come out as told; time passes only by `pass`, which answers how long it was waited. */
function house(turns: (SequencerTurn | Error)[]) {
  const asked: { recordsMax: number; pauseMs: number }[] = [];
  const logged: string[] = [];
  let later: { delayMs: number; run: () => void } | undefined;
  const store = {
    turn: async (options: { recordsMax: number; pauseMs: number }) => {
      asked.push(options);
      const turn = turns.shift() ?? { state: "elsewhere" as const };
      if (turn instanceof Error) throw turn;
      return turn;
    },
    close: async () => {},
  };
  const say = (level: string) => () => void logged.push(level);
  const log = { ...silentLog, warn: say("warn"), error: say("error") };
  const timing = {
    now: () => 0,
    random: () => 0,
    turn: async () => undefined,
    after: (delayMs: number, run: () => void) => {
      later = { delayMs, run };
      return () => {
        later = undefined;
      };
    },
  };
  const sequencer = createSequencer({ store, log, timing });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async () => {
    await settle();
    const due = later;
    later = undefined;
    due?.run();
    await settle();
    return due?.delayMs;
  };
  return { sequencer, asked, logged, pass, settle };
}

const placed = (count: number, more = false): SequencerTurn => ({ state: "placed", placed: count, size: 0n, more });
const stopped: SequencerTurn = { state: "stopped", gap: { epoch: 7n, missing: 41n } };

test("what is behind goes on at once, and keeps to its turn again when it has caught up", async () => {
  const { sequencer, asked, pass } = house([placed(500, true), placed(40, true), placed(3)]);
  sequencer.start();
  expect([await pass(), await pass(), await pass()]).toEqual([0, 0, 250]);
  expect(asked.map(({ pauseMs }) => pauseMs)).toEqual([200, 0, 0, 200]);
  await sequencer.close();
});

test("a turn that fails is tried again, half as large, and said once", async () => {
  const away = new Error("away");
  const { sequencer, asked, logged, pass } = house([away, away, away, placed(1)]);
  sequencer.start();
  for (let turn = 0; turn < 4; turn++) expect(await pass()).toBeGreaterThanOrEqual(250);
  expect(asked.map(({ recordsMax }) => recordsMax)).toEqual([500, 250, 125, 64, 500]);
  expect(logged).toEqual(["warn"]);
  await sequencer.close();
});

test("a missing record is told once, by name, also while others look, until it is there again", async () => {
  const { sequencer, logged, pass, settle } = house([stopped, stopped, { state: "elsewhere" }, placed(2)]);
  sequencer.start();
  await settle();
  expect(sequencer.stopped()).toEqual({ epoch: 7n, missing: 41n });
  await pass();
  await pass();
  expect([sequencer.stopped()?.missing, logged]).toEqual([41n, ["error"]]);
  await pass();
  expect([sequencer.stopped(), logged]).toEqual([undefined, ["error", "warn"]]);
  await sequencer.close();
});
