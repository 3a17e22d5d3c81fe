import { loadPolicy } from "@open-policy-agent/opa-wasm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish } from "../../src/compile/steps.ts";
import { readBundle } from "../../src/languages/rego/bundle.ts";
import { loadOpaModule } from "../../src/languages/rego/opa-module.ts";
import { exampleBundle } from "./examples.ts";

const entrypoint = "payments/decisions";
const { module, data } = readBundle(exampleBundle().toString("base64"));
const ours = finish(loadOpaModule(module, data));
const theirs = await loadPolicy(module, { initial: 256, maximum: 256 });

const input = fc.record({
  tool: fc.constantFrom({ name: "payments.transfer" }, { name: "mail.send" }, { name: 5 }, {}),
  input: fc.oneof(
    fc.record({ amount: fc.double({ noNaN: true, noDefaultInfinity: true }), country: fc.string({ unit: "binary" }) }),
    fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
    fc.jsonValue(),
  ),
  answers: fc.constantFrom({}, { memo: "x" }, { memo: false }),
  session: fc.constantFrom({ labels: {} }, { labels: { untrusted: "yes" } }, {}),
  call: fc.constantFrom({ attempt: 1 }, { attempt: 4 }, {}),
});

describe("the metered module", () => {
  it("answers what the unchanged module answers under OPA's own host", () => {
    fc.assert(
      fc.property(input, (facts) => {
        const json = JSON.stringify(facts);
        const limits = { fuel: 100_000_000, nowNs: 0n };
        const evaluated = ours.evaluate(entrypoint, new TextEncoder().encode(json), limits);
        const [expected] = theirs.evaluate(JSON.parse(json), entrypoint) as { result: unknown }[];
        expect("result" in evaluated && evaluated.result).toEqual(expected?.result);
      }),
      { numRuns: 500 },
    );
  });

  it("takes the same fuel for the same input, whatever it was asked before", () => {
    const evaluate = (facts: unknown) =>
      ours.evaluate(entrypoint, new TextEncoder().encode(JSON.stringify(facts)), { fuel: 100_000_000, nowNs: 0n }).fuel;
    const facts = { tool: { name: "payments.transfer" }, input: { amount: 5, country: "DE" }, session: { labels: {} } };
    const first = evaluate(facts);
    expect(first).toBeGreaterThan(1000);
    fc.assert(
      fc.property(input, (other) => {
        evaluate(other);
        expect(evaluate(facts)).toBe(first);
      }),
      { numRuns: 50 },
    );
  });
});
