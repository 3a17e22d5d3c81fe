import type { JsonObject, JsonValue, VerdictCode } from "@remit/engine";
import { loadEngine } from "./engine.ts";
import { isObject, markedPaths, recordedFacts } from "./recorded-facts.ts";
import { exitCodes, Stop } from "./stop.ts";
import { comments, flow } from "./suggest/yaml-text.ts";

/** Codes that policies and registrations answer with; all others are of the service, and no test of policies has them. */
const judged: Readonly<Record<VerdictCode, boolean>> = {
  rule_allowed: true,
  rule_transformed: true,
  approval_granted: false,
  clarified: true,
  observed: true,
  no_rule_matched: true,
  rule_denied: true,
  evaluation_error: true,
  transform_conflict: true,
  transform_invalid: true,
  constraint_unsupported: true,
  tool_unknown: true,
  tool_suspended: true,
  tool_schema_changed: false,
  input_invalid: true,
  scope_exceeded: true,
  approval_required: true,
  facts_missing: true,
};

function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function rules(value: JsonValue | undefined): string[] {
  return list(value).map(({ policy, rule }) => `${policy}/${rule}`);
}

function constraintsOf(value: JsonValue | undefined): JsonObject {
  const entries = list(value).map(({ name, durationMs, integer, strings, flag }): [string, JsonValue] => {
    const given = durationMs === undefined ? (integer ?? strings ?? flag ?? true) : `${durationMs}ms`;
    return [String(name), given];
  });
  return Object.fromEntries(entries);
}

function codeOf(body: JsonObject): string {
  return String(object(body.reason).code);
}

/** What the entry says the policies answered, as a test expects it. */
function expectation(body: JsonObject): JsonObject {
  const { effect, approval, questions, transformed_input: transformed, would, reason } = body;
  const said = object(would);
  const { remedy, message } = object(reason);
  return {
    effect: effect ?? "deny",
    code: codeOf(body),
    rules: rules(body.rules),
    ...(typeof message === "string" && { message }),
    ...(typeof remedy === "string" && { remedy }),
    ...(isObject(transformed) && { transformedInput: transformed }),
    ...(isObject(approval) && {
      approval: list(approval.requirements).map(({ rule, approvers, quorum, expiresSeconds }) => ({
        rule: rules([rule ?? null])[0] ?? "",
        ...{ approvers: approvers ?? [], quorum: quorum ?? 1, expires: `${expiresSeconds}s` },
      })),
    }),
    ...(Array.isArray(questions) && {
      questions: list(questions).map(({ id, type, ask }) => ({ id, type, ask }) as JsonObject),
    }),
    constraints: constraintsOf(body.constraints),
    unknown: list(body.unknowns).flatMap(({ rule }) => rules([rule ?? null])),
    would: isObject(would) ? { effect: said.effect ?? "deny", code: codeOf(said), rules: rules(said.rules) } : "none",
  };
}

function cannot(id: string, why: string, fix?: string): Stop {
  return new Stop(exitCodes.no, `decision ${id} cannot be a test: ${why}`, fix);
}

/** The facts of a case, or why there are none. */
function factsOf(id: string, body: JsonObject): JsonObject {
  const facts = recordedFacts(body);
  if (typeof facts !== "string") return facts;
  if (facts === "redacted") {
    const paths = [...markedPaths(body.input ?? null, ["input"]), ...markedPaths(body.context ?? null, ["context"])];
    throw cannot(id, `its tool redacts ${paths.join(", ")}, so what was asked is not known`, "write the case by hand");
  }
  throw cannot(id, facts === "erased" ? "what it said was erased" : "its entry does not say what was asked");
}

function refuseUnjudged(id: string, body: JsonObject): void {
  const codes = [codeOf(body), ...(isObject(body.would) ? [codeOf(body.would)] : [])];
  const other = codes.find((code) => !(Object.hasOwn(judged, code) && judged[code as VerdictCode]));
  if (other !== undefined) throw cannot(id, `${other} is not what policies say of a call alone`);
}

const FACTS = [
  "call",
  "agent",
  "principal",
  "session",
  "caller",
  "budget",
  "now",
  "scopes",
  "mode",
  "supportedConstraints",
];

/**
 * A recorded decision as a document of kind PolicyTest with one case, which passes on the policies, tools and agents it
 * was decided by. Ends the command where the entry does not say enough.
 */
export async function decisionTest(id: string, body: JsonObject): Promise<string> {
  const facts = factsOf(id, body);
  refuseUnjudged(id, body);
  const { calls } = object(facts.session);
  const expected = Object.entries(expectation(body));
  const said = `${String(body.effect)} (${codeOf(body)})`;
  const text = [
    ...comments([`Decided ${String(body.at)}: ${said}, by the policies ${String(body.policy_digest)}.`]),
    "apiVersion: remit/v1",
    "kind: PolicyTest",
    `metadata: { name: ${flow(`decision-${id}`)} }`,
    "spec:",
    "  cases:",
    `    - name: ${flow(`decision ${id}: ${String(body.tool)}, ${said}`)}`,
    "      given:",
    ...FACTS.flatMap((name) => (facts[name] === undefined ? [] : [`        ${name}: ${flow(facts[name] ?? null)}`])),
    // What nobody counted was unknown to the policies.
    ...(calls === undefined ? ["      without: [session.calls]"] : []),
    "      expect:",
    ...expected.map(([name, value]) => `        ${name}: ${flow(value)}`),
    "",
  ].join("\n");
  const { formatProblem, testCalls } = await loadEngine();
  const [problem] = testCalls([{ file: `decision-${id}_test.yaml`, text }]).problems;
  if (problem) throw cannot(id, `a test document cannot hold it\n${formatProblem(problem)}`);
  return text;
}
