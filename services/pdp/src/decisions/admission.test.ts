import { expect, test } from "vitest";
import { limits } from "../foundation/limits.ts";
import { type Caller, createRates } from "../identities/index.ts";
import type { Quotas, Snapshot } from "../policies/index.ts";
import { createAdmission, shedding } from "./admission.ts";

test("Explain is turned away before Decide, by the queue's fill and by the calls in flight", () => {
  const at = (fill: number, inFlight: number) =>
    (["Explain", "Decide"] as const).filter((rpc) => shedding(rpc, { fill, inFlight }) !== undefined);
  expect(at(0, 0)).toEqual([]);
  expect(at(0.24, 0)).toEqual([]);
  expect(at(0.25, 0)).toEqual(["Explain"]);
  expect(at(0.99, 0)).toEqual(["Explain"]);
  expect(at(1, 0)).toEqual(["Explain", "Decide"]);
  expect(at(0, limits.explainInFlightMax)).toEqual(["Explain"]);
  expect(at(0, limits.callsInFlightMax)).toEqual(["Explain", "Decide"]);
});

const caller = (id: string, tenant: string): Caller => {
  const rights = { roles: [], agents: [], mayAssertPrincipals: false, revoked: false, createdAtMs: 0 };
  return { id, tenant, name: id, ...rights };
};

function setUp(quotas: Record<string, Quotas> = {}) {
  const house = { nowMs: 0, fill: 0 };
  const admission = createAdmission({
    snapshots: { held: (tenant) => ({ settings: { quotas: quotas[tenant] ?? {} } }) as Snapshot },
    ledger: { fill: () => house.fill },
    rates: createRates(100),
    clock: { now: () => house.nowMs },
    callerCallsPerSecond: 5,
  });
  /** How many of so many are let in. */
  const letIn = (times: number, ask: () => void) => {
    let count = 0;
    for (let at = 0; at < times; at++) {
      try {
        ask();
        count++;
      } catch {
        // Turned away.
      }
    }
    return count;
  };
  return { admission, house, letIn };
}

test("a caller's rate is its own, and its tenant's quota goes before the configured one", () => {
  const { admission, house, letIn } = setUp({ acme: { callerDecisionsPerSecond: 2 } });
  expect(letIn(10, () => admission.admit("Decide", caller("a", "t"), 0))).toBe(5);
  expect(letIn(10, () => admission.admit("Decide", caller("b", "t"), 0))).toBe(5);
  expect(letIn(10, () => admission.admit("Explain", caller("c", "acme"), 0))).toBe(2);
  expect(letIn(10, () => admission.admitSession(caller("a", "t"), true))).toBe(0);
  house.nowMs = 1_000;
  expect(letIn(10, () => admission.admitSession(caller("a", "t"), false))).toBe(5);
});

test("a tenant's quota counts all of its callers, and no other tenant's", () => {
  const { admission, letIn } = setUp({ acme: { decisionsPerSecond: 6, sessionsPerSecond: 1 } });
  const one = letIn(4, () => admission.admit("Decide", caller("a", "acme"), 0));
  const other = letIn(4, () => admission.admit("Decide", caller("b", "acme"), 0));
  expect(one + other).toBe(6);
  expect(letIn(3, () => admission.admitSession(caller("c", "acme"), true))).toBe(1);
  expect(letIn(4, () => admission.admit("Decide", caller("d", "t"), 0))).toBe(4);
});

test("what is turned away says which limit it met and what to do", () => {
  const { admission, house } = setUp({ acme: { decisionsPerSecond: 0 } });
  const told = (limit: string, reason: string) =>
    expect.objectContaining({ kind: "exhausted", reason, retryable: true, detail: expect.objectContaining({ limit }) });
  expect(() => admission.admit("Decide", caller("a", "acme"), 0)).toThrow(
    told("0 decisions a second", "quota_exceeded"),
  );
  house.fill = 1;
  expect(() => admission.admit("Decide", caller("a", "t"), 0)).toThrow(
    told("100 percent of the queue into the ledger", "overloaded"),
  );
});

test("the admin plane has a rate of its own for each caller", () => {
  const { admission, letIn } = setUp();
  const max = limits.adminCallsPerSecondMax;
  expect(letIn(max + 50, () => admission.admitAdmin(caller("a", "t")))).toBe(max);
  expect(letIn(1, () => admission.admitAdmin(caller("b", "t")))).toBe(1);
  expect(letIn(1, () => admission.admit("Decide", caller("a", "t"), 0))).toBe(1);
});
