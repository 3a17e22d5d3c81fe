import { expect, test } from "vitest";
import { isPrincipalPath, survey } from "./survey.ts";
import { type LineProblem, readTraceLine, type TracedCall } from "./trace-line.ts";

async function* trace(...lines: Record<string, unknown>[]): AsyncGenerator<TracedCall | LineProblem> {
  for (const [at, fields] of lines.entries()) {
    yield readTraceLine(JSON.stringify({ step: at, tool: "pay", input: {}, ...fields }), at + 1);
  }
}

const user = (id: unknown) => ({ context: { user: { id } } });

test("a run acts for whom the first of its calls that names one says", async () => {
  const found = await survey(
    trace(
      { run: "a" },
      { run: "a", ...user("ada") },
      { run: "b", ...user("bo") },
      { run: "a", ...user("eve") },
      { run: "c" },
    ),
    "context.user.id",
  );
  expect([...found.principals]).toEqual([
    ["a", "ada"],
    ["b", "bo"],
    ["c", undefined],
  ]);
  expect(found.calls).toBe(5);
});

test("the tools and the first time are found", async () => {
  const found = await survey(trace({ run: "a" }, { run: "a", tool: "read", at: "2024-01-02T00:00:00Z" }), undefined);
  expect([...found.tools]).toEqual(["pay", "read"]);
  expect(found.firstAtMs).toBe(Date.parse("2024-01-02T00:00:00Z"));
});

test("a principal that is not a text is a problem of its line", async () => {
  const found = await survey(trace({ run: "a" }, { run: "a", ...user(5) }), "context.user.id");
  expect(found.problems).toMatchObject([{ line: 2 }]);
});

test("problems are gathered, and after twenty the rest is not read", async () => {
  const broken = Array.from({ length: 50 }, () => ({ run: "" }));
  expect((await survey(trace(...broken), undefined)).problems).toHaveLength(20);
});

test.each(["context.user.id", "input.user_id", "run"])("%s may name a principal", (path) => {
  expect(isPrincipalPath(path)).toBe(true);
});

test.each(["", "user.id", "context", "context..id", "context.user id", "tool"])("%j may not", (path) => {
  expect(isPrincipalPath(path)).toBe(false);
});
