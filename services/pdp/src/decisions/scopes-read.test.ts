import type { Scope } from "@remit/engine";
import { expect, test, vi } from "vitest";
import { canonical } from "../foundation/canonical.ts";
import { finish } from "../foundation/steps.ts";
import { noTurnRoom } from "../foundation/turn-room.ts";
import { withScopes, withScopesRead, writeScopes } from "./scopes-read.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const ask = { tool: "pay" } as never;
const asker = {
  session: { agent: "clerk", ancestors: [], scope: { tools: ["*"] }, principal: { id: "mia" } },
} as never;

/** Whose principal is in groups of these ceilings. */
const snapshotOf = (ceilings: readonly Scope[]) =>
  ({ agents: new Map(), ceilings: new Map([["mia", ceilings]]) }) as never;
const room = () => ({ ...noTurnRoom, enter: vi.fn(async () => {}) });
const wide = (at: number): Scope => ({ tools: [...many(255, (n) => `x${at}.${n}*`), "pay"] });

test("scopes are written as they are in canonical JSON", () => {
  const scopes: readonly Scope[] = [
    { tools: [] },
    {
      ...{ tools: ["*", "ä.*"], maxDepth: 2, labels: { tier: "1", "a b": "\u2028" }, disclose: true },
      bounds: [
        { tool: "pay", path: "input.a", max: 0.1 },
        { tool: "pay", path: "input.b", in: ["x", 1, false, '"'] },
      ],
      expiresAt: "2026-03-01T10:00:00Z",
    },
    { tools: ["a"], bounds: undefined } as never,
    wide(1),
  ];
  expect(finish(writeScopes(scopes)).text).toBe(canonical(scopes));
  expect(finish(writeScopes(scopes.toReversed())).text).toBe(canonical(scopes.toReversed()));
  expect(finish(writeScopes([])).text).toBe("[]");
});

test("a call that few scopes bind is judged as it came, and waits for no turn", () => {
  const turns = room();
  expect(withScopes(turns, "s", snapshotOf([{ tools: ["pay", "refund.*"] }]), asker, ask)).toBe(ask);
  expect(turns.enter).not.toHaveBeenCalled();
});

test("of very many groups the ceilings are read in turns of their own, and once for all calls of a tool", async () => {
  const snapshot = snapshotOf(many(380, wide));
  const first = room();
  const prepared = await withScopes(first, "s", snapshot, asker, ask);
  expect(first.enter.mock.calls.length).toBeGreaterThan(10);
  expect(prepared.scopes?.read.of.size).toBe(380);
  expect(prepared.scopes?.written?.text).toBe(canonical([{ tools: ["*"] }, ...many(380, wide)]));

  expect(await withScopesRead(room(), "s", snapshot, asker, ask)).toEqual({
    ...prepared,
    scopes: { read: prepared.scopes?.read },
  });

  const later = room();
  const again = withScopes(later, "s", snapshot, asker, ask);
  expect(again).not.toBeInstanceOf(Promise);
  expect(later.enter).not.toHaveBeenCalled();
});
