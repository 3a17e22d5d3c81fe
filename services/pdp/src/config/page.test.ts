import { expect, test } from "vitest";
import { configurationPage } from "./page.ts";
import { knobs } from "./schema.ts";

test("docs/configuration.md says what the schema says; run vitest with -u on this file to write it anew", async () => {
  await expect(configurationPage()).toMatchFileSnapshot("../../../../docs/configuration.md");
});

test("every knob has a sentence, and a default or the meaning of its absence", () => {
  for (const [key, knob] of Object.entries(knobs) as [string, { doc: string; default?: string; absent?: string }][]) {
    expect(knob.doc, key).toMatch(/\.$/);
    expect((knob.default === undefined) !== (knob.absent === undefined), key).toBe(true);
  }
});
