import fc from "fast-check";
import { expect, test } from "vitest";
import type { Loaded } from "./identity-store.ts";
import { createKept } from "./kept.ts";

interface Entry extends Loaded<{ readonly tenant: string }> {
  readonly above: readonly string[];
  readonly state: string;
}

const entry = (security: bigint, above: readonly string[] = [], state = "open"): Entry => ({
  ...{ row: { tenant: "t" }, security, above, state },
});

/** `horizon.at` is the revision of the newest news. */
function open(max = 10) {
  const horizon = { at: 0n };
  const kept = createKept<Entry>({
    max,
    namesOf: ({ above }) => above,
    horizon: () => horizon.at,
    raise: (from, security) => ({ ...from, security }),
  });
  return { kept, horizon };
}

test("what nothing was told of is as new as the newest news, and what was handed out before stays as it was", async () => {
  const { kept, horizon } = open();
  const before = await kept.load("a", async () => entry(1n), false);
  horizon.at = 5n;
  expect(kept.held("a")?.security).toBe(5n);
  expect(before?.security).toBe(1n);
});

test("what was told of is gone, with everything under it, and nothing else is", async () => {
  const { kept } = open();
  for (const key of ["root", "other"]) await kept.load(key, async () => entry(1n), false);
  await kept.load("child", async () => entry(1n, ["root"]), false);
  await kept.load("grandchild", async () => entry(1n, ["root", "child"]), false);
  kept.told(new Set(["root"]));
  expect(["root", "child", "grandchild", "other"].map((key) => kept.held(key) !== undefined)).toEqual([
    ...[false, false, false, true],
  ]);
});

test("where it is known what became of it, it stays as that, and everything under it", async () => {
  const { kept } = open();
  await kept.load("root", async () => entry(1n), false);
  await kept.load("child", async () => entry(1n, ["root"]), false);
  kept.told(new Set(["root"]), (from) => ({ ...from, state: "closed" }));
  expect([kept.held("root")?.state, kept.held("child")?.state]).toEqual(["closed", "closed"]);
});

test.each([
  ["itself", "a"],
  ["what stands above it", "root"],
])("a row is read once more when %s was told of while it was on its way", async (_, name) => {
  const { kept, horizon } = open();
  const reads: string[] = [];
  const found = await kept.load(
    "a",
    async () => {
      reads.push("read");
      if (reads.length > 1) return entry(2n, ["root"]);
      kept.told(new Set([name]));
      horizon.at = 2n;
      return entry(1n, ["root"]);
    },
    false,
  );
  expect(reads).toHaveLength(2);
  expect(found?.security).toBe(2n);
});

test("a row that is told of each time while it is on its way is handed out for what it is, and not kept", async () => {
  const { kept, horizon } = open();
  let reads = 0;
  const read = async () => {
    reads++;
    kept.told(new Set(["a"]));
    horizon.at = 9n;
    return entry(1n);
  };
  expect((await kept.load("a", read, false))?.security).toBe(1n);
  expect(reads).toBe(3);
  expect(kept.held("a")).toBeUndefined();
});

test("who looks at one time for what is not here shares a read, and who wants it anew has a read of its own", async () => {
  const { kept } = open();
  let reads = 0;
  const read = async () => {
    reads++;
    return entry(1n);
  };
  await Promise.all([kept.load("a", read, false), kept.load("a", read, false), kept.load("a", read, true)]);
  expect(reads).toBe(2);
});

test("what was cleared while a row was on its way counts for it too", async () => {
  const { kept } = open();
  let reads = 0;
  const read = async () => {
    if (++reads === 1) kept.clear("t");
    return entry(1n);
  };
  await kept.load("a", read, false);
  expect(reads).toBe(2);
});

test("what was pushed out is not found under anything any more, and what is left is found under what it was", async () => {
  const { kept } = open(2);
  await kept.load("first", async () => entry(1n, ["root"]), false);
  await kept.load("second", async () => entry(1n, ["root"]), false);
  await kept.load("third", async () => entry(1n, ["root"]), false);
  kept.told(new Set(["root"]), (from) => ({ ...from, state: "closed" }));
  expect(["first", "second", "third"].map((key) => kept.held(key)?.state)).toEqual([undefined, "closed", "closed"]);
});

test("what became of it is known after all that was told, in whatever order, and only where nothing else was", async () => {
  const { kept } = open();
  const ending = (state: string) => (from: Entry) => (from.state === "open" ? { ...from, state } : from);
  for (const key of ["a", "b", "c"]) await kept.load(key, async () => entry(1n, ["root"]), false);
  kept.told(new Set(["a"]), ending("closed"));
  kept.told(new Set(["root"]), ending("revoked"));
  kept.told(new Set(["b"]));
  kept.told(new Set(["b"]), ending("revoked"));
  // Of the first one either is true; the second was told of without word of what became of it.
  expect(["closed", "revoked"]).toContain(kept.held("a")?.state);
  expect(kept.held("b")).toBeUndefined();
  expect(kept.held("c")?.state).toBe("revoked");
  // What was read since is what it is.
  await kept.load("b", async () => entry(2n, ["root"]), false);
  expect(kept.held("b")?.state).toBe("open");
});

test("what is cleared is gone, of one tenant or of all, and what is read after it stays", async () => {
  const { kept } = open();
  for (const key of ["a", "b"]) await kept.load(key, async () => entry(1n), false);
  kept.clear("other");
  expect(kept.held("a")).toBeDefined();
  kept.clear("t");
  expect(kept.held("a")).toBeUndefined();
  await kept.load("a", async () => entry(2n), false);
  expect(kept.held("a")?.security).toBe(2n);
  kept.clear();
  expect(["a", "b"].map((key) => kept.held(key))).toEqual([undefined, undefined]);
});

/** What the store says of a name: nothing is ever opened again. */
type Truth = Map<string, "open" | "closed" | "changed">;

test("whatever is told, learnt and forgotten, what is known of an entry is what is true of it and of all above it", async () => {
  const name = fc.integer({ min: 0, max: 12 }).map((at) => `n${at}`);
  const names = fc.array(name, { minLength: 1, maxLength: 4 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant("looks" as const), key: name }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("ends" as const), names }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("changes" as const), names }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("clears" as const) }) },
  );
  const above = (key: string) =>
    [1, 2].map((by) => `n${(Number(key.slice(1)) * 5 + by) % 13}`).filter((at) => at !== key);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), async (steps, room) => {
      const kept = createKept<Entry>({
        ...{ max: 6, namesOf: ({ above }) => above, horizon: () => 0n, raise: (from) => from },
        remembering: { toldMax: room, learntMax: room, oneByOneMax: 2 },
      });
      const truth: Truth = new Map();
      const versions = new Map<string, number>();
      const versionOf = (key: string) => [key, ...above(key)].map((one) => versions.get(one) ?? 0).join();
      const stateOf = (key: string) =>
        [key, ...above(key)].some((one) => truth.get(one) === "closed") ? "closed" : "open";
      for (const one of steps) {
        if (one.does === "clears") kept.clear();
        else if (one.does === "ends") {
          for (const each of one.names) truth.set(each, "closed");
          kept.told(new Set(one.names), (from) => ({ ...from, state: "closed" }));
        } else if (one.does === "changes") {
          for (const each of one.names) versions.set(each, (versions.get(each) ?? 0) + 1);
          kept.told(new Set(one.names));
        } else {
          const read = async () => ({ ...entry(0n, above(one.key), stateOf(one.key)), version: versionOf(one.key) });
          const found = kept.held(one.key) ?? (await kept.load(one.key, read, false));
          expect(found).toMatchObject({ state: stateOf(one.key), version: versionOf(one.key) });
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test("as much is remembered as it says: what was not looked at since is gone, and what was is known", async () => {
  const kept = createKept<Entry>({
    ...{ max: 100, namesOf: ({ above }) => above, horizon: () => 0n, raise: (from) => from },
    remembering: { toldMax: 4, learntMax: 100, oneByOneMax: 100 },
  });
  for (const key of ["idle", "hot", "s0", "s1", "s2", "s3", "s4"]) await kept.load(key, async () => entry(1n), false);
  for (const at of [0, 1, 2, 3]) kept.told(new Set([`s${at}`]), (from) => ({ ...from, state: "closed" }));
  expect(["hot", "s0", "s3"].map((key) => kept.held(key)?.state)).toEqual(["open", "closed", "closed"]);
  kept.told(new Set(["s4"]));
  expect(["hot", "idle", "s1"].map((key) => kept.held(key)?.state)).toEqual(["open", undefined, undefined]);
});

test("of very many that were told of one by one, all is known, and of more than that nothing that is wrong", async () => {
  const count = 20_000;
  const kept = createKept<Entry>({
    ...{ max: 2 * count, namesOf: ({ above }) => above, horizon: () => 0n, raise: (from) => from },
    remembering: { toldMax: 7_000, learntMax: count, oneByOneMax: 100 },
  });
  const keys = Array.from({ length: count }, (_, at) => `session-${at}`);
  const tell = (key: string) => kept.told(new Set([key]), (from) => ({ ...from, state: "closed" }));
  const states = () => new Set(keys.map((key) => kept.held(key)?.state));
  for (const key of keys) await kept.load(key, async () => entry(1n), false);
  for (const key of keys.slice(0, 5_000)) tell(key);
  const looked = keys.slice(0, 5_000).map((key) => kept.held(key)?.state);
  expect(new Set(looked)).toEqual(new Set(["closed"]));
  for (const key of keys) tell(key);
  expect(states()).not.toContain("open");
});
