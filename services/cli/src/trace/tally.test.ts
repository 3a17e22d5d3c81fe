import { expect, test } from "vitest";
import { createTally, type Played } from "./tally.ts";

let line = 0;
const played = (fields: Partial<Played>): Played => ({
  line: ++line,
  run: "r",
  step: 0,
  tool: "pay",
  effect: "allow",
  code: "rule_allowed",
  rules: ["payments/pay"],
  ...fields,
});

const denied = { effect: "deny", code: "rule_denied", rules: ["payments/abroad", "payments/large"] } as const;
const unmatched = { effect: "deny", code: "no_rule_matched", rules: [], tool: "wire" } as const;

test("calls are counted by tool and by every rule that agreed; a decision without a rule by its code", () => {
  const tally = createTally();
  for (const fields of [{}, {}, denied, unmatched]) tally.add(played(fields), "m");
  const { calls, total, byTool, byRule } = tally.result();
  expect(calls).toBe(4);
  expect(total).toMatchObject({ allow: 2, deny: 2, escalate: 0, error: 0 });
  expect(byTool.get("pay")).toMatchObject({ allow: 2, deny: 1 });
  expect(byTool.get("wire")).toMatchObject({ deny: 1 });
  expect([...byRule.keys()]).toEqual(["payments/pay", "payments/abroad", "payments/large", "(no_rule_matched)"]);
});

test("the first call of every kind that did not pass is an example", () => {
  const tally = createTally();
  for (const fields of [{}, denied, denied, unmatched]) tally.add(played(fields), "why");
  const { examples } = tally.result();
  expect(examples.map(({ code }) => code)).toEqual(["rule_denied", "no_rule_matched"]);
  expect(examples[0]).toMatchObject({ message: "why", rules: denied.rules });
});

test("what breakers stopped is in no count but its own", () => {
  const tally = createTally();
  const stopped = { effect: "deny", code: "loop_detected", rules: [] } as const;
  for (const fields of [{}, stopped, stopped]) tally.add(played(fields), "m");
  const { calls, total, stopped: stops, byTool, byRule } = tally.result();
  expect([calls, total.deny, [...stops]]).toEqual([3, 0, [["loop_detected pay", 2]]]);
  expect([byTool.get("pay")?.deny, byRule.has("(loop_detected)")]).toEqual([0, false]);
});

test("examples are bounded", () => {
  const tally = createTally();
  for (let at = 0; at < 1000; at++) tally.add(played({ ...denied, rules: [`p/r${at}`] }), "m");
  expect(tally.result().examples.length).toBeLessThanOrEqual(25);
});
