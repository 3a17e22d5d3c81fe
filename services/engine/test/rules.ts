import { type Compiled, evaluate, type JsonObject, type Verdict } from "../src/index.ts";
import { compileTexts, policyText, sampleFacts, toolText } from "./sample.ts";

/** Rules of a policy `p` on every tool, and the verdict of such rules on a call of `pay`. */
const any = { tools: ["*"] };
export const rule = (id: string, effect: string, more: JsonObject = {}): JsonObject => ({
  id,
  match: any,
  effect,
  ...more,
});
export const allow = (id: string, when?: string) => rule(id, "allow", when === undefined ? {} : { when });
export const deny = (id: string, when?: string) => rule(id, "deny", when === undefined ? {} : { when });
export const escalate = (id: string, when?: string, approvers = ["ada"]) =>
  rule(id, "escalate", { approval: { approvers, expires: "90s" }, ...(when === undefined ? {} : { when }) });
export const clarify = (id: string, when: string, question = "memo") =>
  rule(id, "clarify", { when, questions: [{ id: question, type: "string", ask: `What is the ${question}?` }] });
export const transform = (id: string, set: JsonObject, when?: string) =>
  rule(id, "transform", { set, ...(when === undefined ? {} : { when }) });

export const compiledFor = (rules: readonly JsonObject[], tool: JsonObject = {}): Compiled =>
  compileTexts(toolText("pay", tool), policyText(rules));
export const judge = (
  rules: readonly JsonObject[],
  facts: Parameters<typeof sampleFacts>[0] = {},
  tool: JsonObject = {},
): Verdict => evaluate(compiledFor(rules, tool), sampleFacts(facts));
export const named = (verdict: Verdict) => verdict.rules.map(({ rule: id }) => id);
export const outcome = (verdict: Verdict) => [verdict.effect, verdict.code, named(verdict).join(" ")].join(" ").trim();
