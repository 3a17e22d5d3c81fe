import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTurnRoom } from "./turn-room.ts";

/** Time that passes only by work, and turns that come when they are called. */
function playedTurns(busyMsMax?: number) {
  let now = 0;
  let next: (() => void)[] = [];
  const room = createTurnRoom({ nowMs: () => now, nextTurn: (then) => next.push(then), busyMsMax });
  return {
    room,
    work(ms: number) {
      now += ms;
      room.took(ms);
    },
    /** Whether anything is left to be called in the next turn. */
    async turn(): Promise<boolean> {
      const due = next;
      next = [];
      for (const then of due) then();
      for (let settled = 0; settled < 100; settled++) await undefined;
      return due.length > 0;
    },
  };
}

interface Piece {
  readonly source: string;
  readonly ms: number;
}

/** Has all pieces ask at once; answers what ran in which turn. */
async function run(pieces: readonly Piece[], busyMsMax?: number): Promise<Piece[][]> {
  const { room, work, turn } = playedTurns(busyMsMax);
  const turns: Piece[][] = [[]];
  const ran = (piece: Piece) => {
    turns.at(-1)?.push(piece);
    work(piece.ms);
  };
  for (const piece of pieces) {
    if (room.full) void room.enter(piece.source).then(() => ran(piece));
    else ran(piece);
  }
  for (;;) {
    turns.push([]);
    if (!(await turn())) break;
  }
  return turns.filter((each) => each.length > 0);
}

const piece = fc.record({ source: fc.constantFrom("a", "b", "c"), ms: fc.double({ min: 0, max: 4, noNaN: true }) });

describe("room in a turn", () => {
  it("is there for any number of short pieces, at once", async () => {
    const pieces = Array.from({ length: 100 }, () => ({ source: "a", ms: 0.1 }));
    expect(await run(pieces)).toEqual([pieces]);
  });

  it("is there for one long piece a turn", async () => {
    const pieces = Array.from({ length: 5 }, () => ({ source: "a", ms: 3 }));
    expect(await run(pieces)).toEqual(pieces.map((one) => [one]));
  });

  it("is there for one long piece a turn where it is waited for with a promise in between", async () => {
    const { room, work, turn } = playedTurns();
    const ran: string[] = [];
    const enter = async (source: string) => {
      await room.enter(source);
    };
    const go = async (source: string) => {
      await enter(source);
      ran.push(source);
      work(3);
    };
    for (const source of ["a", "b", "c"]) void go(source);
    const counts: number[] = [];
    while (await turn()) counts.push(ran.length);
    expect([ran, counts.slice(0, 3)]).toEqual([
      ["a", "b", "c"],
      [1, 2, 3],
    ]);
  });

  it("keeps the order of each source, and loses no piece", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const ran = (await run(pieces)).flat();
        for (const source of ["a", "b", "c"]) {
          const of = (list: readonly Piece[]) => list.filter((one) => one.source === source);
          expect(of(ran)).toEqual(of(pieces));
        }
      }),
    );
  });

  it("begins no piece in a turn that was held for a millisecond by those that were long", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        for (const turn of await run(pieces)) {
          const long = turn.slice(0, -1).filter(({ ms }) => ms >= 0.2);
          expect(long.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThan(1);
        }
      }),
    );
  });

  it("has less of a turn to give where each piece has others do something after it", async () => {
    const pieces = Array.from({ length: 5 }, () => ({ source: "a", ms: 0.3 }));
    expect((await run(pieces)).map((turn) => turn.length)).toEqual([4, 1]);
    expect(await run(pieces, 0.25)).toEqual(pieces.map((one) => [one]));
  });

  it("goes round among those who wait", async () => {
    const [busy, other] = [
      { source: "busy", ms: 2 },
      { source: "other", ms: 2 },
    ];
    expect((await run([busy, busy, busy, other, other])).flat()).toEqual([busy, busy, other, busy, other]);
  });

  it("asks for the next turn once this one's work is done, so that a pause sees what was laid out", async () => {
    const done: string[] = [];
    let next = () => {};
    const nextTurn = (then: () => void) => {
      done.push("asked");
      next = then;
    };
    const room = createTurnRoom({ nowMs: () => 10 * done.length, nextTurn });
    const work = async () => {
      for (let slice = 0; slice < 3; slice++) {
        await room.enter("a");
        done.push("worked");
      }
    };
    const both = [work(), work()];
    for (let turn = 0; turn < 6; turn++) {
      next();
      for (let settled = 0; settled < 10; settled++) await undefined;
    }
    await Promise.all(both);
    expect(done).toEqual(Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? "asked" : "worked")));
  });
});
