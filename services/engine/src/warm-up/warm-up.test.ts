import { expect, test } from "vitest";
import { compile } from "../compile/compile.ts";
import { evaluate } from "../judge/evaluate.ts";
import { sampleDocuments, sampleFacts } from "./sample.ts";
import { warmUp } from "./warm-up.ts";

test("the documents of a round compile without a word, and their calls come as far as the rules", () => {
  const { tools, policies } = sampleDocuments(7);
  const { compiled, problems } = compile({ tools, policies: policies.map((document) => ({ document, version: 1 })) });
  expect(problems).toEqual([]);
  const codes = Array.from({ length: 4 }, (_, at) => compiled && evaluate(compiled, sampleFacts(at)).code);
  expect(codes).toEqual(["evaluation_error", "evaluation_error", "evaluation_error", "rule_transformed"]);
});

test("no round begins once those before have held the thread long enough, and each lets others go on", async () => {
  let nowMs = 0;
  let pauses = 0;
  const pause = async () => {
    pauses++;
    // What others do meanwhile is not counted.
    nowMs += 1000;
  };
  const clock = () => {
    nowMs += 0.01;
    return nowMs;
  };
  const { rounds, busyMs } = await warmUp(pause, { busyMsMax: 1, nowMs: clock });
  expect(rounds).toBe(1);
  expect(busyMs).toBeLessThan(1000);
  expect(pauses).toBeGreaterThan(10);
  expect(await warmUp(pause, { busyMsMax: 0, nowMs: clock })).toMatchObject({ rounds: 0 });
});
