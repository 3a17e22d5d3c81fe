import { expect, test } from "vitest";
import { limits } from "../foundation/limits.ts";
import { silentLog } from "../foundation/log.ts";
import { createLedger, type LedgerOptions } from "./ledger.ts";
import { CommitFailure, type LedgerStore, type LedgerWriter } from "./ledger-store.ts";
import type { NewRecord, RecordOutcome } from "./record.ts";
import type { CommitSeen } from "./shared.ts";
import { systemTiming, type Timing } from "./timing.ts";
import type { LedgerUnavailable } from "./unavailable.ts";

/** A store whose statements end when a test lets them. */
function heldStore() {
  const statements: { readonly ids: string[]; readonly end: (failure?: CommitFailure) => void }[] = [];
  const lookedUp: string[][] = [];
  const fenced: bigint[] = [];
  let epochs = 0n;
  const openWriter = async (): Promise<LedgerWriter> => {
    const epoch = ++epochs;
    let base = 0n;
    const commit: LedgerWriter["commit"] = (batch) =>
      new Promise((resolve, reject) => {
        const end = (failure?: CommitFailure) => {
          if (failure) return reject(failure);
          resolve(batch.map((): RecordOutcome => ({ outcome: "inserted", ref: { epoch, n: ++base } })));
        };
        statements.push({ ids: batch.map(({ id }) => id), end });
      });
    return { epoch, lost: new Promise(() => {}), commit, close: async () => {} };
  };
  const store: LedgerStore = {
    register: async () => {},
    openWriter,
    fenceWriter: async (epoch) => void fenced.push(epoch),
    lookUp: async (batch) => {
      lookedUp.push(batch.map(({ id }) => id));
      return batch.map(() => null);
    },
    findByKeys: async (_tenant, _session, _day, keys) => keys.map(() => null),
    findById: () => Promise.reject(new Error("the store is away")),
    listDecisions: async () => ({ records: [], more: false }),
    withAsides: async () => [],
    findBySubject: () => new Promise(() => {}),
    close: async () => {},
  };
  return { store, statements, fenced, lookedUp };
}

const record = (id: string) => ({ id, body: new Uint8Array(10) }) as NewRecord;
/** All that follows at once has followed, the turns included for which a writer waits after a commit. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await systemTiming.turn();
}

async function open(own: Partial<LedgerOptions> = {}) {
  const held = heldStore();
  const ledger = createLedger({ store: held.store, writers: 1, limits, log: silentLog, ...own });
  await ledger.start();
  await settled();
  return { ledger, ...held };
}

test("a record that comes alone leaves within the turn, and what comes while it is under way shares the next statement", async () => {
  const { ledger, statements } = await open();
  const first = ledger.record(record("a"));
  await Promise.resolve();
  await Promise.resolve();
  expect(statements.map(({ ids }) => ids)).toEqual([["a"]]);
  const others = ["b", "c"].map((id) => ledger.record(record(id)));
  await settled();
  expect(statements).toHaveLength(1);
  expect(ledger.state()).toMatchObject({ queuedRecords: 2, inFlightRecords: 1 });
  statements[0]?.end();
  expect(await first).toEqual({ outcome: "inserted", ref: { epoch: 1n, n: 1n } });
  await settled();
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["b", "c"]]);
  statements[1]?.end();
  expect((await Promise.all(others)).map(({ outcome }) => outcome)).toEqual(["inserted", "inserted"]);
});

test("records that are handed over in one turn share a statement", async () => {
  const { ledger, statements } = await open();
  for (const id of ["a", "b", "c"]) void ledger.record(record(id));
  await settled();
  expect(statements.map(({ ids }) => ids)).toEqual([["a", "b", "c"]]);
});

/** A clock that stands still between `pass`es, and what is due by it. */
function handTiming() {
  const due: { readonly atMs: number; readonly run: () => void }[] = [];
  let nowMs = 0;
  const timing: Timing = {
    ...systemTiming,
    now: () => nowMs,
    turn: async () => undefined,
    after: (delayMs, run) => {
      const one = { atMs: nowMs + delayMs, run };
      due.push(one);
      return () => due.splice(due.indexOf(one), 1);
    },
  };
  const pass = async (ms: number) => {
    nowMs += ms;
    for (const one of due.filter(({ atMs }) => atMs <= nowMs)) due.splice(due.indexOf(one), 1)[0]?.run();
    await settled();
  };
  return { timing, pass };
}

test("what comes while one writer commits waits for it; when that takes too long, the other takes it", async () => {
  const { timing, pass } = handTiming();
  const { ledger, statements } = await open({ writers: 2, timing });
  void ledger.record(record("a"));
  await settled();
  void ledger.record(record("b"));
  void ledger.record(record("c"));
  await pass(4);
  expect(statements.map(({ ids }) => ids)).toEqual([["a"]]);
  await pass(1);
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["b", "c"]]);
  expect(ledger.state().epochs).toEqual([1n, 2n]);
});

test("what comes in the turns after an acknowledgement shares the next statement", async () => {
  const { ledger, statements } = await open();
  const answered = ledger.record(record("a"));
  await settled();
  void ledger.record(record("b"));
  statements[0]?.end();
  await answered;
  setImmediate(() => void ledger.record(record("c")));
  await settled();
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["b", "c"]]);
});

test("a writer that has just begun another statement does not take too long", async () => {
  const { timing, pass } = handTiming();
  const { ledger, statements } = await open({ writers: 2, timing });
  void ledger.record(record("a"));
  await settled();
  void ledger.record(record("b"));
  await pass(3);
  statements[0]?.end();
  await settled();
  void ledger.record(record("c"));
  await pass(4);
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["b"]]);
  await pass(1);
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["b"], ["c"]]);
});

test("where commits take long anyway a writer is left alone for twice as long as that, and 50 ms at most", async () => {
  const { timing, pass } = handTiming();
  const { ledger, statements } = await open({ writers: 2, timing });
  const leftAloneMs = async (tookMs: number) => {
    for (let at = 0; at < 40; at++) {
      void ledger.record(record(`a${tookMs}-${at}`));
      await settled();
      await pass(tookMs);
      statements.at(-1)?.end();
      await settled();
    }
    void ledger.record(record(`slow ${tookMs}`));
    await settled();
    const before = statements.length;
    void ledger.record(record(`waits ${tookMs}`));
    let leftMs = 0;
    for (; statements.length === before && leftMs < 100; leftMs++) await pass(1);
    for (const one of statements.slice(before - 1)) one.end();
    await settled();
    return leftMs;
  };
  expect(await leftAloneMs(1)).toBe(5);
  expect(await leftAloneMs(10)).toBe(20);
  expect(await leftAloneMs(90)).toBe(50);
});

test("a record that is not there after its writer was fenced goes through another writer once, and then never again", async () => {
  const { ledger, statements, fenced, lookedUp } = await open();
  const asked = ledger.record(record("a"));
  await settled();
  statements[0]?.end(new CommitFailure("lost", "cut"));
  await settled();
  expect([fenced, lookedUp]).toEqual([[1n], [["a"]]]);
  expect(statements.map(({ ids }) => ids)).toEqual([["a"], ["a"]]);
  statements[1]?.end(new CommitFailure("lost", "cut"));
  await expect(asked).rejects.toMatchObject({ kind: "unavailable", reason: "ledger_unavailable", recorded: "no" });
  expect(fenced).toEqual([1n, 2n]);
  expect(statements).toHaveLength(2);
});

test("a store that is not what it was is found out by the fence too: the line stops, and says so once", async () => {
  const { store, statements } = heldStore();
  const another: LedgerStore = {
    ...store,
    fenceWriter: () => Promise.reject(new CommitFailure("broken", "another one")),
  };
  const stops: string[] = [];
  const ledger = createLedger({ store: another, writers: 2, limits, log: silentLog, onStop: (why) => stops.push(why) });
  await ledger.start();
  const asked = ["a", "b"].map((id) => ledger.record(record(id)));
  await settled();
  statements[0]?.end(new CommitFailure("lost", "cut"));
  for (const one of asked) await expect(one).rejects.toMatchObject({ recorded: "unknown" });
  expect(ledger.state()).toMatchObject({ stopped: "broken", serving: false });
  expect(stops).toEqual(["broken"]);
});

test("a replica that was shut out by another records nothing more, and one that is closed is not told to be", async () => {
  const stops: string[] = [];
  const { ledger } = await open({ onStop: (why) => stops.push(why) });
  ledger.shutOut();
  await expect(ledger.record(record("a"))).rejects.toMatchObject({ recorded: "no" });
  expect(stops).toEqual(["fenced"]);
  const other = await open({ onStop: (why) => stops.push(why) });
  await other.ledger.close();
  expect(stops).toEqual(["fenced"]);
});

test("whoever waits longer than he said is told that it may have been recorded, or that it was not, as is known", async () => {
  const { ledger } = await open();
  const [under, queued] = [
    ledger.record(record("a"), { withinMs: 1 }),
    settled().then(() => ledger.record(record("b"), { withinMs: 1 })),
  ];
  await expect(under).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "unknown" });
  await expect(queued).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
});

/** A thousand records of twenty tenants, of which two writers commit as many as they may, and what is told of each. */
async function crowded() {
  const { timing, pass } = handTiming();
  let turns = 0;
  const told: { readonly at: number; readonly recorded: string }[] = [];
  const toldAtTurn: number[] = [];
  const counting: Timing = {
    ...timing,
    turn: () => {
      turns++;
      return systemTiming.turn();
    },
  };
  const { ledger, statements } = await open({ writers: 2, timing: counting });
  const asked = Array.from({ length: 1_000 }, (_, at) =>
    ledger.record({ ...record(`r${at}`), tenant: `t${at % 20}` }).catch(({ recorded }: LedgerUnavailable) => {
      told.push({ at, recorded });
      toldAtTurn[turns] = (toldAtTurn[turns] ?? 0) + 1;
    }),
  );
  await pass(100);
  expect(statements.map(({ ids }) => ids.length)).toEqual([256, 256]);
  return {
    ...{ ledger, statements, pass, told, all: () => Promise.all(asked) },
    toldOf: (recorded: string) => told.filter((one) => one.recorded === recorded),
    mostInATurn: () => Math.max(...toldAtTurn.filter((count) => count !== undefined)),
  };
}

test("of very many that wait too long each is told once, in turns between which others are answered", async () => {
  const { ledger, statements, pass, toldOf, all, mostInATurn } = await crowded();
  await pass(2_000);
  // What is looked for meanwhile finds nobody twice.
  for (let sweeps = 0; sweeps < 5; sweeps++) await pass(50);
  await all();
  expect([toldOf("no"), toldOf("unknown")].map(({ length }) => length)).toEqual([488, 512]);
  expect(mostInATurn()).toBeLessThan(100);
  for (const { end } of statements) end();
  await ledger.close();
});

test("of very many that a replica has when it is shut out each is told once, in order and in turns, and it still closes", async () => {
  const { ledger, statements, told, toldOf, mostInATurn } = await crowded();
  ledger.shutOut();
  for (const { end } of statements) end(new CommitFailure("fenced", "shut out"));
  expect(ledger.state()).toMatchObject({ stopped: "fenced", serving: false, queuedRecords: 0 });
  await expect(ledger.record(record("late"))).rejects.toMatchObject({ recorded: "no" });
  expect(told.length).toBeLessThan(1_000);
  await ledger.close();
  expect(told).toHaveLength(1_000);
  expect(toldOf("no")).toHaveLength(1_000);
  for (let tenant = 0; tenant < 20; tenant++) {
    // Those who waited, and then those who were under way.
    const its = told.slice(0, 488).filter(({ at }) => at % 20 === tenant);
    expect(its).toEqual(its.toSorted((one, other) => one.at - other.at));
  }
  expect(mostInATurn()).toBeLessThan(50);
});

test("a ledger that was not started, or is closed, records nothing", async () => {
  const { store } = heldStore();
  const ledger = createLedger({ store, writers: 1, limits, log: silentLog });
  await expect(ledger.record(record("a"))).rejects.toMatchObject({ recorded: "no" });
  expect(ledger.state().serving).toBe(false);
  await ledger.start();
  expect(ledger.state().serving).toBe(true);
  await ledger.close();
  await expect(ledger.record(record("a"))).rejects.toMatchObject({ recorded: "no" });
  expect(ledger.state()).toMatchObject({ serving: false, stopped: "closed" });
});

test("closing waits for what is under way", async () => {
  const { ledger, statements } = await open();
  const asked = ledger.record(record("a"));
  await settled();
  let closed = false;
  const closing = ledger.close().then(() => {
    closed = true;
  });
  await settled();
  expect(closed).toBe(false);
  statements[0]?.end();
  expect((await asked).outcome).toBe("inserted");
  await closing;
});

test("starting fails as a whole when one writer cannot be opened", async () => {
  const { store } = heldStore();
  let opened = 0;
  let closed = 0;
  const failing: LedgerStore = {
    ...store,
    openWriter: async () => {
      if (++opened === 2) throw new Error("away");
      return { ...(await store.openWriter()), close: async () => void closed++ };
    },
  };
  const ledger = createLedger({ store: failing, writers: 3, limits, log: silentLog });
  await expect(ledger.start()).rejects.toThrow("away");
  expect(closed).toBe(2);
});

test("a look-up that fails or does not end says that the ledger is unavailable", async () => {
  const { ledger } = await open({ limits: { ...limits, recordWaitMsMax: 1 } });
  const unavailable = { kind: "unavailable", reason: "ledger_unavailable" };
  await expect(ledger.findById("t", "a")).rejects.toMatchObject(unavailable);
  await expect(ledger.findBySubject("t", "a")).rejects.toMatchObject(unavailable);
  expect(await ledger.findByKeys("t", "s", "2026-11-21", [new Uint8Array(16)])).toEqual([null]);
});

test("every statement is told to whoever observes, with its size and result", async () => {
  const seen: CommitSeen[] = [];
  const { ledger, statements } = await open({ observe: (one) => seen.push(one) });
  expect(ledger.state().lastCommitAgoMs).toBeNull();
  for (const id of ["a", "b"]) void ledger.record(record(id)).catch(() => {});
  await settled();
  statements[0]?.end(new CommitFailure("poisoned", "a bad row"));
  await settled();
  statements[1]?.end(new CommitFailure("poisoned", "a bad row"));
  await settled();
  statements[2]?.end();
  await settled();
  expect(seen.map(({ records, result }) => ({ records, result }))).toEqual([
    { records: 2, result: "poisoned" },
    { records: 1, result: "poisoned" },
    { records: 1, result: "committed" },
  ]);
  expect(ledger.state().lastCommitAgoMs).not.toBeNull();
});

test("there is time to spare where one record's statement has been sent and no other record is here", async () => {
  const { timing, pass } = handTiming();
  const waits: number[] = [];
  const { ledger, statements } = await open({ writers: 2, timing, onWait: () => waits.push(statements.length) });
  const ask = async (...ids: string[]) => {
    for (const id of ids) void ledger.record(record(id));
    await settled();
  };
  await ask("a");
  expect(waits).toEqual([1]);
  // Another waits, and is then given to the other writer while the first still commits.
  await ask("b");
  await pass(100);
  expect(statements).toHaveLength(2);
  for (const { end } of statements) end();
  await settled();
  await ask("c", "d");
  expect(statements).toHaveLength(3);
  expect(waits).toEqual([1]);
  statements[2]?.end();
  await settled();
  await ask("e");
  expect(waits).toEqual([1, 4]);
});
