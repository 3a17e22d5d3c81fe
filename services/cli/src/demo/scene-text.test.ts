import { expect, test } from "vitest";
import { painter } from "../paint.ts";
import type { Attempt } from "./bookkeeper.ts";
import { sceneLines } from "./scene-text.ts";

const attempt: Attempt = { tool: "files.write", input: { path: "/etc/x" }, decisionId: "d", answeredMs: 1.26 };

function told(fields: Partial<Attempt>, effect: string): string {
  const rules = [{ policy: "records", version: 1, rule: "r" }];
  const body = { effect, reason: { code: "c", message: "Ask a person." }, rules };
  return sceneLines({ ...attempt, ...fields }, { epoch: 1n, n: 7n, body }, painter(false)).join("\n");
}

test("a denied call is told with what the agent was told, its rule and where it is recorded", () => {
  const text = told({}, "deny");
  expect(text).toContain('files.write {"path":"/etc/x"}');
  expect(text).toContain("DENY: it does not run, by the rule records/r");
  expect(text).toContain('"Ask a person."');
  expect(text).toContain("epoch 1, n 7, before the answer left; answered in 1.3 ms");
  expect(text).not.toContain("result");
});

test("a call that ran shows its result, and its input only if Remit changed it", () => {
  expect(told({ ranWith: attempt.input, output: "done" }, "allow")).not.toContain("ran with");
  const text = told({ ranWith: { path: "/workspace/x" }, output: "done" }, "transform");
  expect(text).toContain('ran with  {"path":"/workspace/x"}');
  expect(text).toContain("result    done");
});

test("a call that must be clarified shows the question", () => {
  expect(told({ questions: ["What for?"] }, "clarify")).toContain("question  What for?");
});
