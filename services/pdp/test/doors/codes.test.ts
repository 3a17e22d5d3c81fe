import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Effect } from "@remit/proto/common";
import type { CallError } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DecisionCode, decisionCodes } from "../../src/decisions/codes.ts";
import { type ErrorReason, errorReasons } from "../../src/foundation/reasons.ts";
import { statusCodes } from "../../src/wire/errors.ts";
import { decisionRows } from "../codes/decisions.ts";
import { errorRows } from "../codes/errors.ts";
import { statusName } from "../codes/page.ts";
import { openWorld, type World } from "../codes/world.ts";
import { failure } from "../support/pdp.ts";

const root = join(import.meta.dirname, "../../../..");
let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

const effectName = (effect: Effect) =>
  Object.entries(Effect)
    .find(([, number]) => number === effect)?.[0]
    .toLowerCase();
const isGiven = (code: DecisionCode): boolean => !("later" in decisionCodes[code]);
const codes = (Object.keys(decisionCodes) as DecisionCode[]).filter(isGiven);
const reasons = Object.keys(errorReasons) as ErrorReason[];

/** The status, by its canonical name, and the reason of what failed, a call or frames of a stream. */
async function whatFailed(provoked: Promise<unknown>): Promise<{ status: string; reason: string }[]> {
  const outcome = await provoked.then(
    (value) => value as { readonly errors?: readonly CallError[] } | undefined,
    () => undefined,
  );
  if (outcome?.errors) {
    return outcome.errors.map(({ code, detail }) => ({ status: statusName(code), reason: detail?.reason ?? "" }));
  }
  const { code, detail } = await failure(provoked);
  return [{ status: code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(), reason: detail.reason }];
}

describe("a decision", () => {
  test.each(codes)("may end as %s, with an effect that its row names", async (code) => {
    const provoke = decisionRows[code];
    if (!provoke) throw new Error(`nothing provokes ${code}: add a row to services/pdp/test/codes/decisions.ts`);
    const { reason, effect } = await provoke(world);
    expect(reason?.code).toBe(code);
    expect(reason?.message).not.toBe("");
    expect(decisionCodes[code].effects).toContain(effectName(effect));
  });
});

describe("a call", () => {
  test.each(reasons)("may fail with %s, and the status that its row names", async (reason) => {
    const row = errorRows[reason];
    if (!row) throw new Error(`nothing provokes ${reason}: add a row to services/pdp/test/codes/errors.ts`);
    if ("file" in row) {
      expect(readFileSync(join(root, row.file), "utf8"), `${row.file} no longer expects ${reason}`).toContain(reason);
      return;
    }
    const failed = await whatFailed(row(world));
    const statuses = errorReasons[reason].kinds.map((kind) => statusName(statusCodes[kind]));
    expect(failed.length).toBeGreaterThan(0);
    for (const one of failed) expect(one).toEqual({ status: expect.toBeOneOf(statuses), reason });
  });
});
