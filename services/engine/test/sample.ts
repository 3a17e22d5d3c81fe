import { type Compiled, compile, type Facts, formatProblem, type JsonObject, parseDocuments } from "../src/index.ts";

type Overrides = Partial<Omit<Facts, "call" | "agent" | "session" | "principal">> & {
  readonly tool?: string;
  readonly agent?: Partial<Facts["agent"]>;
  readonly session?: Partial<Facts["session"]>;
  readonly principal?: Partial<Facts["principal"]>;
  readonly estimate?: Facts["call"]["estimate"];
  readonly schemaDigest?: string | undefined;
};

/** Facts of an unremarkable call of `pay`, with what a test wants to be otherwise. */
export function sampleFacts({
  tool = "pay",
  estimate = [],
  schemaDigest,
  agent,
  session,
  principal,
  ...rest
}: Overrides = {}): Facts {
  return {
    input: {},
    context: {},
    answers: {},
    call: { tool, estimate, attempt: 1, ...(schemaDigest === undefined ? {} : { schemaDigest }) },
    agent: { id: "clerk", labels: { team: "finance" }, owner: "ada", ...agent },
    principal: { id: "mia", verified: true, labels: {}, ...principal },
    session: { id: "s1", labels: {}, depth: 0, purpose: "", ageSeconds: 90, calls: 3, ...session },
    caller: { id: "sdk", name: "sdk" },
    now: "2026-03-02T10:00:00Z",
    scopes: [{ tools: ["*"] }],
    mode: "enforce",
    supportedConstraints: ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"],
    ...rest,
  };
}

/** A policy document of these rules, as JSON, which is YAML too. */
export function policyText(rules: readonly JsonObject[], spec: JsonObject = {}, name = "p"): string {
  return JSON.stringify({ apiVersion: "remit/v1", kind: "Policy", metadata: { name }, spec: { ...spec, rules } });
}

export function toolText(name: string, spec: JsonObject = {}): string {
  return JSON.stringify({ apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk: "write", ...spec } });
}

/** Stands for the digest of a schema: the schema itself. */
export const schemaDigest = (schema: JsonObject): string => JSON.stringify(schema);

/** Compiles documents that have no problems; says which ones otherwise. */
export function compileTexts(...texts: readonly string[]): Compiled {
  const { documents, problems } = parseDocuments([{ file: "test.yaml", text: texts.join("\n---\n") }]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled, problems: more } = compile({ policies, tools: documents.tools, schemaDigest });
  const all = [...problems, ...more];
  if (!compiled || all.length > 0) throw new Error(all.map(formatProblem).join("\n"));
  return compiled;
}

/** The problems of one text, as people read them. */
export function problemsOf(text: string, options: { strict?: boolean } = {}): string[] {
  const { documents, problems } = parseDocuments([{ file: "test.yaml", text }]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  return [...problems, ...compile({ policies, tools: documents.tools }, options).problems].map(formatProblem);
}
