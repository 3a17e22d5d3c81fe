import { expect, test } from "vitest";
import { canonical } from "../foundation/canonical.ts";
import { digestBytes } from "../foundation/digest.ts";
import { ok } from "../foundation/result.ts";
import type { Session } from "../identities/index.ts";
import type { NewRecord } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";
import type { Applied } from "./change-store.ts";
import { createChanges } from "./changes.ts";

const applied: Applied = { revisions: { security: 1n, policy: 0n }, record: { epoch: 1n, n: 1n }, versions: [] };

test("a change that was committed is answered as made, even when its effect cannot be read back yet", async () => {
  const unreadable = { security: () => 0n, secured: () => Promise.reject(new Error("Postgres went away")) };
  const change = createChanges({
    store: { apply: async () => ok(applied), isEmpty: async () => false },
    snapshots: unreadable as unknown as Snapshots,
    seal: (record) => record,
    clock: { now: () => 0 },
    newId: () => "01890000-0000-7000-8000-000000000000",
  });
  const made = await change({ id: "c", name: "owner", tenant: "t" }, { kind: "key_revoked", callerId: "d" });
  expect(made).toEqual({ ok: true, value: applied });
});

test("a delegation is told of with what it gives, and not with the accounts of those above it", async () => {
  const bodies: Uint8Array[] = [];
  const change = createChanges({
    store: { apply: async () => ok(applied), isEmpty: async () => false },
    snapshots: { security: () => 0n, secured: async () => {} } as unknown as Snapshots,
    seal: (record) => {
      bodies.push(record.body);
      return record;
    },
    clock: { now: () => 0 },
    newId: () => "01890000-0000-7000-8000-000000000000",
  });
  const above = { id: "s1", agent: "planner", given: [{ account: 7n, unit: "EUR", limit: 9_000_000n }] };
  const session = { id: "s2", agent: "payer", parent: "s1", ancestors: [above], openedAtMs: 0 } as unknown as Session;
  const budget = [{ unit: "EUR", micros: 7_500_000n }];
  await change({ id: "c", name: "owner", tenant: "t" }, { kind: "session_delegated", session, budget });
  const { what: told } = JSON.parse(Buffer.from(bodies[0] ?? []).toString());
  expect(told).toMatchObject({ budget: [{ unit: "EUR", value: "7.5" }], session: { id: "s2" } });
  expect(told.session.ancestors).toEqual([{ id: "s1", agent: "planner" }]);
});

/** The entry of the deletion of some tools, and how often others were let through while it was written. */
async function recorded(names: readonly string[]) {
  const entries: NewRecord[] = [];
  let pauses = 0;
  const change = createChanges({
    store: { apply: async () => ok(applied), isEmpty: async () => false },
    snapshots: { security: () => 0n, secured: async () => {} } as unknown as Snapshots,
    seal: (record) => {
      entries.push(record);
      return record;
    },
    clock: { now: () => 0 },
    newId: () => "01890000-0000-7000-8000-000000000000",
    pause: async () => void pauses++,
  });
  await change({ id: "c", name: "owner", tenant: "t" }, { kind: "tools_deleted", names });
  const [{ body, digest } = { body: new Uint8Array(), digest: new Uint8Array() }] = entries;
  return { text: Buffer.from(body).toString(), digest, pauses };
}

test("very many names are written in slices, to the same entry and digest as few are at once", async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `tool-${at}-`.padEnd(200, "é"));
  for (const [some, least, most] of [
    [names, 30, 1_000],
    [names.slice(0, 3), 0, 0],
  ] as const) {
    const { text, digest, pauses } = await recorded(some);
    expect(JSON.parse(text).what).toEqual({ names: some });
    expect(text).toBe(canonical(JSON.parse(text)));
    expect(Buffer.from(digest)).toEqual(digestBytes("entry", text));
    expect(pauses).toBeGreaterThanOrEqual(least);
    expect(pauses).toBeLessThanOrEqual(most);
  }
});
