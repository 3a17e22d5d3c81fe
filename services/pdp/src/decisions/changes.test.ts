import { expect, test } from "vitest";
import { ok } from "../foundation/result.ts";
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
