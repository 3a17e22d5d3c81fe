import { originReporter } from "../documents/origin.ts";
import { hasErrors, type Problem } from "../documents/problem.ts";
import { readYaml, type SourceFile } from "../documents/yaml-tree.ts";
import { isJsonObject, type JsonObject, type JsonValue, ownValue, setOwn } from "../json.ts";
import type { Facts } from "../judge/facts.ts";
import type { RuleRef } from "../judge/verdict.ts";
import { readFacts } from "./read-facts.ts";

/** What a case knows unless it or its document says otherwise. */
export const defaultFacts: JsonObject = {
  call: { tool: "", input: {}, context: {}, answers: {}, estimate: [], attempt: 1 },
  agent: { id: "agent", labels: {}, owner: "" },
  principal: { id: "principal", verified: true, labels: {} },
  session: { id: "session", labels: {}, depth: 0, purpose: "", ageSeconds: 0, calls: 0 },
  caller: { id: "caller", name: "caller" },
  now: "2026-01-01T00:00:00Z",
  scopes: [{ tools: ["*"] }],
  mode: "enforce",
  supportedConstraints: ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"],
  granted: [],
};

/** Maps are merged key by key; everything else is replaced. */
export function mergeFacts(under: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = {};
  for (const key of Object.keys(under)) setOwn(merged, key, under[key] ?? null);
  for (const key of Object.keys(over)) {
    const [below, above] = [ownValue(merged, key), over[key] ?? null];
    setOwn(merged, key, isJsonObject(below) && isJsonObject(above) ? mergeFacts(below, above) : above);
  }
  return merged;
}

/** The same facts without what stands at a path. */
export function withoutPath(map: JsonObject, [key = "", ...rest]: readonly string[]): JsonObject {
  const left: Record<string, JsonValue> = {};
  for (const name of Object.keys(map)) {
    const value = map[name] ?? null;
    if (name !== key) setOwn(left, name, value);
    else if (rest.length > 0) setOwn(left, name, isJsonObject(value) ? withoutPath(value, rest) : value);
  }
  return left;
}

/** The written facts have the arguments of the call beside its tool; the engine has them at the top. */
export function toFacts(written: JsonObject): Facts {
  const { call, granted, ...rest } = written as unknown as Omit<
    Facts,
    "input" | "context" | "answers" | "call" | "granted"
  > & {
    readonly call: Facts["call"] & Pick<Facts, "input" | "context" | "answers">;
    readonly granted: readonly (Omit<RuleRef, "version"> & { readonly version?: number })[];
  };
  const { input = {}, context = {}, answers = {}, ...asked } = call;
  return { ...rest, input, context, answers, call: asked, granted: granted.map((rule) => ({ version: 1, ...rule })) };
}

/**
 * Facts from a file of one map, as `given` of a test has them: `call`, `agent`, `principal`, `session`, `caller`, `now`,
 * `scopes`, `mode`, `supportedConstraints`, `granted`. They are merged over those that a test begins with.
 */
export function parseFacts(file: SourceFile): { written?: JsonObject; problems: Problem[] } {
  const problems: Problem[] = [];
  const [first, ...more] = readYaml(file, problems);
  if (!first) {
    if (problems.length === 0) {
      problems.push({
        file: file.file,
        line: 0,
        column: 0,
        severity: "error",
        code: "value_invalid",
        message: "there are no facts in it",
      });
    }
    return { problems };
  }
  const report = originReporter(first.origin, problems);
  if (more.length > 0) report("", "several documents", { expected: "the facts of one call" });
  const written = readFacts(first.value, "", report);
  return written && !hasErrors(problems) ? { written, problems } : { problems };
}

/** Facts that are given in part, with those that a test begins with for the rest. */
export function completeFacts(written: JsonObject): Facts {
  return toFacts(mergeFacts(defaultFacts, written));
}
