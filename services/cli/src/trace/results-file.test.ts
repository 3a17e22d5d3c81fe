import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openResults } from "./results-file.ts";

test("one object a call, its fields in the order that is documented", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "remit-results-")), "out.jsonl");
  const results = await openResults(path);
  const call = {
    line: 1,
    run: "0-0",
    step: 2,
    tool: "pay",
    effect: "deny",
    code: "rule_denied",
    rules: ["p/r"],
  } as const;
  await results.add(call);
  await results.add({ ...call, line: 2 });
  await results.close();
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  expect(lines[0]).toBe(JSON.stringify(call));
  expect(lines).toHaveLength(2);
});

test("a file that cannot be written is told before anything is played", async () => {
  await expect(openResults("/nowhere/out.jsonl")).rejects.toThrow("--results cannot write /nowhere/out.jsonl");
});
