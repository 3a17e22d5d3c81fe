import type { Scope } from "@remit/engine";
import { expect, test, vi } from "vitest";
import { canonical } from "../foundation/canonical.ts";
import { noTurnRoom } from "../foundation/turn-room.ts";
import { withScopes, withScopesRead } from "./scopes-read.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const ask = { tool: "pay", input: { value: { a: 1 } } } as never;
const session = { agent: "clerk", ancestors: [], scope: { tools: ["*"] }, principal: { id: "mia" } };

const room = () => ({ ...noTurnRoom, enter: vi.fn(async () => {}) });
/** Of somebody whose principal is in groups of these ceilings. */
const preparing = (ceilings: readonly Scope[], turns = room()) =>
  ({
    ...{ turns, source: "s", asker: { session }, nowMs: 1_000 },
    snapshot: {
      ...{ agents: new Map(), ceilings: new Map([["mia", ceilings]]) },
      compiled: { tools: new Map([["pay", { facts: { labels: {} } }]]) },
    },
  }) as never;
const wide = (at: number): Scope => ({ tools: [...many(255, (n) => `x${at}.${n}*`), "pay"] });
const bounded = (at: number): Scope => ({
  tools: ["*"],
  bounds: many(200, (n) => ({ tool: "p*", path: "input.a", max: 10 + at + n })),
});

test("a call that few scopes bind is judged as it came, and waits for no turn", () => {
  const turns = room();
  expect(withScopes(preparing([{ tools: ["pay", "refund.*"] }], turns), ask)).toBe(ask);
  expect(turns.enter).not.toHaveBeenCalled();
});

test("of very many groups the ceilings are read in turns of their own, and once for all calls of a tool", async () => {
  const ceilings = many(380, wide);
  const first = room();
  const prepared = await withScopes(preparing(ceilings, first), ask);
  expect(first.enter.mock.calls.length).toBeGreaterThan(10);
  expect(prepared.scopes?.read.of.size).toBe(380);
  expect(prepared.scopes?.written?.text.startsWith('[{"tools":["*"]},{"partOf":{"bounds":0,"digest":"sha256:')).toBe(
    true,
  );

  expect(await withScopesRead(preparing(ceilings), ask)).toEqual({
    ...prepared,
    scopes: { read: prepared.scopes?.read },
  });

  const later = room();
  const again = withScopes(preparing(ceilings, later), ask);
  expect(again).not.toBeInstanceOf(Promise);
  expect(later.enter).not.toHaveBeenCalled();
});

test("by very many bounds a call is judged in turns of its own, before its policies are asked", async () => {
  const ceilings = many(150, bounded);
  await withScopes(preparing(ceilings), ask);
  const later = room();
  const { scopes } = await withScopes(preparing(ceilings, later), ask);
  expect(later.enter.mock.calls.length).toBeGreaterThan(3);
  expect(scopes?.read.judged).toMatchObject({ excess: undefined, stepsLeft: 100_000 - 150 * 401 });
  const beyond = { tool: "pay", input: { value: { a: 11 } } } as never;
  const { scopes: denied } = await withScopes(preparing(ceilings), beyond);
  expect(denied?.read.judged?.excess?.message).toBe("input.a exceeds its bound max");
});

test("scopes that are no longer than most entries are told whole", async () => {
  const ceilings = [wide(1), bounded(1)];
  const { scopes } = await withScopes(preparing(ceilings), ask);
  expect(scopes?.written?.text).toBe(canonical([session.scope, ...ceilings]));
});
