import fc from "fast-check";
import { expect, test } from "vitest";
import type { Fault } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { pageAsked, pageOf } from "./pages.ts";

interface Row {
  readonly id: number;
  /** Characters of what it says. */
  readonly chars: number;
  /** Whether nothing is known of it any more. */
  readonly gone: boolean;
}

const rows = fc
  .array(fc.record({ chars: fc.nat(limits.registeredListedBytesMax), gone: fc.boolean() }), { maxLength: 30 })
  .map((list) => list.map((row, id): Row => ({ ...row, id })));

const by = {
  token: ({ id }: Row) => String(id),
  toWire: ({ id, chars, gone }: Row) => (gone ? undefined : { id, text: "x".repeat(chars) }),
};

/** One page of rows as a store would answer them. */
async function page(all: readonly Row[], pageSize: number, pageToken: string) {
  const asked = pageAsked({ pageSize, pageToken }, Number);
  const { after = -1, most } = asked;
  return pageOf(asked, all.filter(({ id }) => id > after).slice(0, most + 1), by);
}

test("a walk meets every row that is there once and in order, and no page is longer than it may be", async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 12 }), async (all, pageSize) => {
      const met: number[] = [];
      for (let token = ""; ; ) {
        const { items, nextPageToken } = await page(all, pageSize, token);
        expect(items.length).toBeLessThanOrEqual(pageSize);
        const chars = items.reduce((sum, { text }) => sum + text.length, 0);
        expect(items.length === 1 || chars <= limits.registeredListedBytesMax).toBe(true);
        met.push(...items.map(({ id }) => id));
        if (nextPageToken === "") break;
        expect(Number(nextPageToken)).toBeGreaterThan(Number(token || -1));
        token = nextPageToken;
      }
      expect(met).toEqual(all.filter(({ gone }) => !gone).map(({ id }) => id));
    }),
  );
});

test("whoever says nothing of pages gets everything, or an error where that is more than one page", async () => {
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const paged = await page(all, limits.registeredListedMax, "");
      const whole = await page(all, 0, "").catch((error: unknown) => error);
      if (paged.nextPageToken === "") expect(whole).toEqual(paged);
      else expect(whole).toMatchObject({ kind: "invalid", detail: { field: "page_size" } } satisfies Partial<Fault>);
    }),
  );
});

test("many texts weigh more than one of their length", async () => {
  const many = Array.from({ length: limits.registeredListedMax }, (_, id) => id);
  const wordy = { token: String, toWire: () => ({ words: Array.from({ length: 100 }, () => "x") }) };
  const { items, nextPageToken } = await pageOf({ most: limits.registeredListedMax, whole: false }, many, wordy);
  expect(items.length).toBeLessThan(limits.registeredListedBytesMax / (100 * 16));
  expect(nextPageToken).toBe(String(items.length - 1));
});
