import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTrace } from "./trace-file.ts";
import type { LineProblem, TracedCall } from "./trace-line.ts";

async function read(content: string | Buffer) {
  const file = join(await mkdtemp(join(tmpdir(), "remit-trace-")), "calls.jsonl");
  await writeFile(file, content);
  const calls: (TracedCall | LineProblem)[] = [];
  for await (const call of readTrace(file)) calls.push(call);
  return calls;
}

const line = (step: number, text = "") => JSON.stringify({ run: "r", step, tool: "pay", input: { text } });

test("every line is a call; the last needs no line break, and empty ones count without being calls", async () => {
  const calls = await read(`${line(0)}\n\n${line(1)}\r\n${line(2)}`);
  expect(calls.map((call) => call.line)).toEqual([1, 3, 4]);
});

test("separators of Unicode inside a text do not end a line", async () => {
  const calls = await read(`${line(0, "a\u2028b\u2029c")}\n${line(1)}\n`);
  expect(calls).toHaveLength(2);
  expect(calls[0]).toMatchObject({ input: { text: "a\u2028b\u2029c" } });
});

test("a character that falls between two chunks is read whole", async () => {
  const calls = await read(`${line(0, "é".repeat(200_000))}\n`);
  expect(calls[0]).toMatchObject({ input: { text: "é".repeat(200_000) } });
});

test("a broken line is told with its number, and the lines after it are read", async () => {
  const calls = await read(`${line(0)}\n{"run": \n${line(2)}\n`);
  expect(calls[1]).toMatchObject({ line: 2, message: expect.stringContaining("not JSON") });
  expect(calls[2]).toMatchObject({ line: 3, step: 2 });
});

test("bytes that are not UTF-8 are told", async () => {
  const calls = await read(Buffer.from([0x7b, 0xff, 0xfe, 0x0a]));
  expect(calls).toEqual([{ line: 1, message: "not UTF-8" }]);
});
