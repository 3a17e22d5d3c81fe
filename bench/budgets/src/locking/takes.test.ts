import { expect, test } from "vitest";
import type { Charge } from "../../../../services/pdp/src/ledger/index.ts";
import { connectionsFrom, connectionsVariable } from "./connections.ts";
import { takesAlone } from "./takes.ts";

const move = { account: 1n, held: 5n, posted: 0n, overage: 0n };
const taking: Charge = { moves: [move], hold: { step: "take", expiresAtMs: 9, pending: false } };

test("the statement for one call is for one record that takes a hold and does nothing else", () => {
  expect(takesAlone([{ charge: taking }])).toBe(true);
  for (const batch of [
    [],
    [{}],
    [{ charge: taking }, { charge: taking }],
    [{ charge: { moves: [move] } }],
    [{ charge: { ...taking, hold: { step: "end", hold: "h", decision: "d" } as const } }],
    [{ charge: { ...taking, freezes: 1n } }],
    [{ charge: { ...taking, moves: [{ ...move, posted: 1n }] } }],
    [{ charge: { ...taking, moves: [{ ...move, overage: 1n }] } }],
  ])
    expect(takesAlone(batch)).toBe(false);
});

test("a service that was not told how many connections it has does not start", () => {
  expect(connectionsFrom({ [connectionsVariable]: "16" })).toBe(16);
  for (const env of [{}, { [connectionsVariable]: "0" }, { [connectionsVariable]: "many" }])
    expect(() => connectionsFrom(env)).toThrow(connectionsVariable);
});
