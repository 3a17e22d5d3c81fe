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

test("what was pushed out is not found under anything any more", async () => {
  const { kept } = open(2);
  await kept.load("first", async () => entry(1n, ["root"]), false);
  await kept.load("second", async () => entry(1n, ["root"]), false);
  await kept.load("third", async () => entry(1n, ["root"]), false);
  const changed: Entry[] = [];
  kept.told(new Set(["root"]), (from) => {
    changed.push(from);
    return from;
  });
  expect(changed).toHaveLength(2);
});
