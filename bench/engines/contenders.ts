import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { compile, evaluate, type Facts, formatProblem, parseDocuments } from "@remit/engine";
import { buildBundle, builtOpa, opaVersion } from "../../services/engine/opa/opa.ts";
import type { Asked, PolicySet } from "./sets.ts";

/** One engine with one set of policies in it. */
export interface Contender {
  readonly name: string;
  /** Turns a call into what the engine takes. */
  readonly convert: (asked: Asked) => unknown;
  /** Whether what was converted is allowed. */
  readonly decide: (converted: never) => boolean;
}

/** Why an engine does not take part. */
export interface Absent {
  readonly name: string;
  readonly why: string;
}

function factsOf({ tool, input, role, untrusted, verified }: Asked): Facts {
  return {
    ...{ input, context: {}, answers: {}, mode: "enforce", now: "2026-03-02T10:00:00Z" },
    call: { tool, estimate: [], attempt: 1 },
    agent: { id: "clerk", labels: { role }, owner: "ada" },
    principal: { id: "mia", verified, labels: {} },
    session: {
      id: "s1",
      labels: untrusted ? { untrusted: "yes" } : {},
      depth: 0,
      purpose: "",
      ageSeconds: 90,
      calls: 3,
    },
    caller: { id: "sdk", name: "sdk" },
    scopes: [{ tools: ["*"] }],
    supportedConstraints: [],
  };
}

function compiled(set: PolicySet, specs: readonly object[], checked = false) {
  const tools = set.tools.map((name) => ({
    apiVersion: "remit/v1",
    kind: "Tool",
    metadata: { name },
    spec: { risk: "write", ...(checked && { inputSchema: inputSchema(set, name) }) },
  }));
  const policies = specs.map((spec, index) => ({
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: `${set.name}-${index}` }, spec },
  }));
  const files = [...tools, ...policies].map((document, index) => ({
    file: `${index}.json`,
    text: JSON.stringify(document),
  }));
  const { documents, problems } = parseDocuments(files);
  const versions = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled: made, problems: more } = compile({ policies: versions, tools: documents.tools });
  const errors = [...problems, ...more].filter(({ severity }) => severity === "error");
  if (!made || errors.length > 0) throw new Error(errors.slice(0, 3).map(formatProblem).join("\n"));
  return made;
}

/** Takes the inputs of a tool's calls, and nothing else. */
function inputSchema({ calls }: PolicySet, name: string): object {
  const inputs = calls.filter(({ tool }) => tool === name).map(({ input }) => input);
  const properties = Object.fromEntries(
    inputs.flatMap((input) =>
      Object.entries(input).map(([key, value]) => [key, { type: typeof value === "number" ? "integer" : "string" }]),
    ),
  );
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function remit(name: string, set: PolicySet, specs: readonly object[], checked = false): Contender {
  const policies = compiled(set, specs, checked);
  return { name, convert: factsOf, decide: (facts: Facts) => evaluate(policies, facts).effect === "allow" };
}

/** More rules do not fit into one document. */
const rulesOfPolicy = 2_500;

export function native({ rules, ...set }: PolicySet): Contender {
  const specs: object[] = [];
  for (let at = 0; at < rules.length; at += rulesOfPolicy) specs.push({ rules: rules.slice(at, at + rulesOfPolicy) });
  return remit("remit", { rules, ...set }, specs);
}

/** The same with a JSON Schema for every tool's input: what a service does, and none of the others here. */
export function nativeChecked(set: PolicySet): Contender {
  return remit("remit, inputs checked", set, [{ rules: set.rules }], true);
}

/** Cedar's own code with the set preparsed; what it is asked is an object, which it converts into its memory itself. */
export function cedarWasm(set: PolicySet): Contender {
  const answer = cedar.preparsePolicySet(set.name, { staticPolicies: set.cedar });
  if (answer.type === "failure") throw new Error(JSON.stringify(answer.errors.slice(0, 3)));
  type Call = Parameters<typeof cedar.statefulIsAuthorized>[0];
  return {
    name: "cedar-wasm",
    convert: ({ tool, input, role, untrusted, verified }): Call => ({
      principal: { type: "Agent", id: "clerk" },
      action: { type: "Action", id: tool },
      resource: { type: "Tool", id: tool },
      context: { input, untrusted, verified },
      entities: [{ uid: { type: "Agent", id: "clerk" }, attrs: { role }, parents: [] }],
      preparsedPolicySetId: set.name,
    }),
    decide: (asked: Call) => {
      const said = cedar.statefulIsAuthorized(asked);
      if (said.type === "failure" || said.response.diagnostics.errors.length > 0) throw new Error(JSON.stringify(said));
      return said.response.decision === "allow";
    },
  };
}

/** A bundle of the set, carried or made now; a sentence where it cannot be made. */
function bundleOf(set: PolicySet): Buffer | string {
  if (!set.regoSource) return readFileSync(new URL(`rego/${set.rego}.tar.gz`, import.meta.url));
  const opa = builtOpa();
  if (!opa) return `OPA ${opaVersion} is not built here: run \`npm run opa:fixture\` once (it needs Go)`;
  const folder = mkdtempSync(join(tmpdir(), "remit-bench-rego-"));
  const source = join(folder, `${set.rego}.rego`);
  writeFileSync(source, set.regoSource());
  const output = join(folder, `${set.rego}.tar.gz`);
  buildBundle(opa, { source, entrypoints: [`${set.rego}/allow`, `${set.rego}/decisions`], bundle: output }, output);
  const bundle = readFileSync(output);
  rmSync(folder, { recursive: true });
  return bundle;
}

function moduleOf(bundle: Buffer): Buffer {
  const tar = gunzipSync(bundle);
  for (let at = 0; at < tar.length; ) {
    const name = tar.toString("latin1", at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    if (name.endsWith("policy.wasm")) return tar.subarray(at + 512, at + 512 + size);
    at += 512 * (1 + Math.ceil(size / 512));
  }
  throw new Error("the bundle has no policy.wasm");
}

/** OPA's module under OPA's own host, as it comes; and the same bundle as a policy of ours, with its instructions counted. */
export async function regoContenders(set: PolicySet): Promise<readonly (Contender | Absent)[]> {
  const names = ["opa-wasm", "remit, language: rego"] as const;
  const bundle = bundleOf(set);
  if (typeof bundle === "string") return names.map((name) => ({ name, why: bundle }));
  const policy = await loadPolicy(new Uint8Array(moduleOf(bundle)), { initial: 64 });
  const entrypoint = `${set.rego}/allow`;
  const encoder = new TextEncoder();
  const opa: Contender = {
    name: names[0],
    convert: ({ tool, input, role, untrusted, verified }) => {
      const facts = {
        ...{ tool: { name: tool }, input, agent: { labels: { role } }, principal: { verified } },
        session: { labels: untrusted ? { untrusted: "yes" } : {} },
      };
      return encoder.encode(JSON.stringify(facts)).buffer;
    },
    decide: (input: ArrayBuffer) => policy.evaluate(input, entrypoint)[0]?.result === true,
  };
  const spec = {
    language: "rego",
    match: { tools: ["*"] },
    bundle: bundle.toString("base64"),
    entrypoint: `${set.rego}/decisions`,
  };
  const ours = remit(names[1], set, [spec]);
  const wrong = set.calls.find(
    (asked) => ours.decide(ours.convert(asked) as never) !== opa.decide(opa.convert(asked) as never),
  );
  if (!wrong) return [opa, ours];
  return [opa, { name: names[1], why: `a call of ${wrong.tool} takes more steps than a call may: denied` }];
}
