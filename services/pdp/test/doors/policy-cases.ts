import { readdirSync, readFileSync } from "node:fs";
import {
  type Compiled,
  compile,
  completeFacts,
  type Documents,
  evaluate,
  type Facts,
  parseDocuments,
  type Scope,
  testCalls,
} from "@remit/engine";
import { limits } from "../../src/foundation/limits.ts";

const cases = new URL("../../../engine/test/cases/", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, cases), "utf8");

/** Documents, and the calls that their tests ask about. */
export interface PolicyCases {
  readonly name: string;
  readonly text: string;
  readonly documents: Documents;
  readonly calls: readonly { readonly name: string; readonly facts: Facts }[];
  readonly compiled: Compiled;
}

function casesOf(name: string, text: string, tests: readonly string[]): PolicyCases {
  const { documents } = parseDocuments([{ file: name, text }]);
  const { compiled } = compile({
    policies: documents.policies.map((document) => ({ document, version: 1 })),
    tools: documents.tools,
  });
  if (!compiled) throw new Error(`${name} does not compile`);
  const { calls, problems } = testCalls(tests.map((test, at) => ({ file: `${name}-${at}`, text: test })));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const facts = calls.map(({ name: call, written }) => ({ name: call, facts: completeFacts(written) }));
  return { name, text, documents, calls: facts, compiled };
}

const pack = new URL("../../../cli/src/starter/starter-pack/", import.meta.url);

/** The starter pack in force as a whole, and every case of its tests. */
function starterCases(): PolicyCases {
  const files = readdirSync(pack).sort();
  const texts = (isTest: boolean) =>
    files
      .filter((file) => file.endsWith(".yaml") && file.endsWith("_test.yaml") === isTest)
      .map((file) => readFileSync(new URL(file, pack), "utf8"));
  return casesOf("starter", texts(false).join("\n---\n"), texts(true));
}

/** Every case of the engine's examples, of the language reference and of the starter pack. */
export function policyCases(): PolicyCases[] {
  const page = readFileSync(new URL("../../../../docs/policy.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```yaml\n(apiVersion:[\s\S]*?)```/g)].map(([, text = ""]) => text);
  const shown = blocks.filter((text) => text.includes("kind: PolicyTest"));
  return [
    casesOf("payments", read("payments.yaml"), [read("payments_test.yaml"), ...shown]),
    casesOf("browsing", read("browsing.yaml"), [read("browsing_test.yaml")]),
    starterCases(),
  ];
}

/** What every door is expected to answer. */
export interface Told {
  readonly effect: string;
  readonly code: string;
  readonly message: string;
  readonly rules: readonly string[];
  readonly transformed: unknown;
  readonly would: string | undefined;
}

export function toldByEngine(compiled: Compiled, facts: Facts): Told {
  const { effect, code, message, rules, transformedInput, would } = evaluate(compiled, facts);
  const names = rules.map(({ policy, rule }) => `${policy}/${rule}`);
  const transformed = effect === "transform" ? transformedInput : undefined;
  return { effect, code, message, rules: names, transformed, would: would?.effect };
}

/** Why a session with these facts cannot be opened; undefined if it can. */
export function unmappable({ granted = [], scopes, session, call }: Facts): string | undefined {
  if (granted.length > 0) return "an approval is granted by people, for a call that waits";
  if (scopes.length === 0) return "a session has a scope";
  if (scopes.length > 2) return "a session that was not delegated has one scope, and its agent a ceiling";
  if (session.depth > limits.delegationDepthMax) return "no chain is as long as that";
  if (call.attempt > 1) return "a first attempt comes first";
  return undefined;
}

/** An agent with the labels, the mode and the ceiling of a call's facts. */
export function agentText(name: string, { agent, mode, scopes }: Facts): string {
  const [ceiling] = scopes;
  return JSON.stringify({
    apiVersion: "remit/v1",
    kind: "Agent",
    metadata: { name, owner: "ada" },
    spec: { labels: agent.labels, ceiling, ...(mode === "observe" ? { mode } : {}) },
  });
}

export function sessionScope({ scopes }: Facts): Scope | undefined {
  return scopes[1];
}
