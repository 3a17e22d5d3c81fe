import { expect, test } from "vitest";
import { readTraceLine } from "./trace-line.ts";

const call = { run: "r1", step: 3, tool: "pay", input: { amount: 5 }, context: { user: { id: "u" } } };
const read = (fields: Record<string, unknown>) => readTraceLine(JSON.stringify({ ...call, ...fields }), 7);

test("a line is a call with its line number", () => {
  expect(read({ at: "2024-05-15T15:00:00Z", error: true })).toEqual({
    line: 7,
    ...call,
    atMs: Date.parse("2024-05-15T15:00:00Z"),
    failed: true,
  });
});

test("context, at and error may be left out; a run may be a number", () => {
  const text = '{"run": 12, "step": "a", "tool": "pay", "input": {}}';
  expect(readTraceLine(text, 1)).toMatchObject({
    run: "12",
    step: "a",
    context: {},
    atMs: undefined,
    failed: undefined,
  });
});

test.each([
  [{ run: undefined }, "`run`"],
  [{ run: "" }, "`run`"],
  [{ step: undefined }, "`step`"],
  [{ step: 1.5 }, "`step`"],
  [{ tool: 5 }, "`tool`"],
  [{ tool: "" }, "`tool`"],
  [{ input: undefined }, "`input`"],
  [{ input: [1] }, "`input`"],
  [{ context: "x" }, "`context`"],
  [{ at: "yesterday" }, "`at`"],
  [{ at: 1715785200 }, "`at`"],
  [{ at: "2024-13-45T00:00:00Z" }, "`at`"],
  [{ error: "no" }, "`error`"],
  [{ contxt: {} }, "unknown field contxt"],
])("%j is told by its field", (fields, field) => {
  expect(read(fields)).toMatchObject({ line: 7, message: expect.stringContaining(field) });
});

test.each(["", "{", "[]", "null", "5"])("%j is not a call", (text) => {
  expect(readTraceLine(text, 2)).toMatchObject({ line: 2, message: expect.stringMatching(/not (JSON|a JSON object)/) });
});

test("a number that would become another one is refused", () => {
  const text = '{"run": "r", "step": 1, "tool": "pay", "input": {"amount": 12345678901234567890}}';
  expect(readTraceLine(text, 1)).toMatchObject({ message: expect.stringContaining("12345678901234567890 at amount") });
});
