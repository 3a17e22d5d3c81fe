import type { ToolFacts } from "./cel/frame.ts";
import type { PathUse } from "./cel/node.ts";
import { type PolicyExpressions, policyExpressions } from "./condition.ts";
import { compileConstraints } from "./constraints.ts";
import { parseDurationMs } from "./duration.ts";
import { nearestName } from "./nearest.ts";
import { below, type Report } from "./origin.ts";
import { compileGlobs, isExactName, type NameTest } from "./pattern.ts";
import type { MatchDocument, PolicyDocument, RuleDocument } from "./policy.ts";
import { isExpression } from "./read-policy.ts";
import type { CompiledCondition, CompiledRule, Setting } from "./rule.ts";
import { contradiction } from "./schema-path.ts";
import type { ToolDocument } from "./tool.ts";

export interface CompiledPolicy {
  readonly observed: boolean;
  readonly labels: readonly (readonly [string, string])[];
  readonly variableCount: number;
  readonly rules: readonly { readonly rule: CompiledRule; readonly match: CompiledMatch }[];
}

interface CompiledMatch {
  readonly tools: NameTest | undefined;
  readonly servers: NameTest | undefined;
  readonly risk: readonly string[] | undefined;
}

/** Whether a rule could match calls of a tool: every selector that is given must fit. */
export function matchesTool(match: CompiledMatch, tool: ToolFacts): boolean {
  if (match.tools && !match.tools(tool.name)) return false;
  if (match.servers && !(tool.server !== undefined && match.servers(tool.server))) return false;
  return !match.risk || match.risk.includes(tool.risk);
}

export function compilePolicy(
  document: PolicyDocument,
  version: number,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): CompiledPolicy {
  const { spec, metadata } = document;
  const expressions = policyExpressions(spec.variables ?? {}, report);
  const observed = spec.mode === "observe";
  const questions = spec.rules.flatMap((rule) => (rule.questions ?? []).map(({ id }) => id));
  const rules = spec.rules.map((rule, index) => {
    const pointer = below("/spec/rules", index);
    const matched = matchedTools(rule.match, below(pointer, "match"), tools, report);
    const compiled = compileRule(rule, { expressions, matched, questions, pointer, report });
    const ref = { policy: metadata.name, version, rule: rule.id };
    const requirement = compiled.requirement && { ...compiled.requirement, rule: ref };
    return {
      rule: { ...compiled, ref, observed, ...(requirement ? { requirement } : {}) },
      match: compileMatch(rule.match),
    };
  });
  return {
    observed,
    labels: Object.entries(spec.appliesTo?.agents.matchLabels ?? {}),
    variableCount: expressions.variableCount,
    rules,
  };
}

function compileMatch({ tools, servers, risk }: MatchDocument): CompiledMatch {
  return { tools: tools && compileGlobs(tools), servers: servers && compileGlobs(servers), risk };
}

/** The tools a rule names one by one; undefined if it may match others too. Warns of names that nobody registered. */
function matchedTools(
  { tools: names }: MatchDocument,
  pointer: string,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): ToolDocument[] | undefined {
  const exact: ToolDocument[] = [];
  let closed = names !== undefined;
  for (const [index, name] of (names ?? []).entries()) {
    const tool = tools.get(name);
    if (tool) exact.push(tool);
    else closed = false;
    if (tool || !isExactName(name)) continue;
    report(below(below(pointer, "tools"), index), `no tool \`${name}\` is registered`, {
      severity: "warning",
      nearest: nearestName(name, tools.keys()),
    });
  }
  return closed ? exact : undefined;
}

interface RuleCompiling {
  readonly expressions: PolicyExpressions;
  readonly matched: readonly ToolDocument[] | undefined;
  /** The ids of every question of the policy. */
  readonly questions: readonly string[];
  readonly pointer: string;
  readonly report: Report;
}

function compileRule(rule: RuleDocument, compiling: RuleCompiling): Omit<CompiledRule, "ref" | "observed"> {
  const { approval, message, remedy } = rule;
  return {
    effect: rule.effect,
    when: compileConditions(rule.when ?? [], "when", compiling),
    unless: compileConditions(rule.unless ?? [], "unless", compiling),
    constraints: compileConstraints(rule.constraints ?? {}),
    settings: Object.entries(rule.set ?? {}).map(([path, value]) => compileSetting(path, value, compiling)),
    questions: rule.questions ?? [],
    ...(message === undefined ? {} : { message }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(approval?.summary === undefined ? {} : { summary: approval.summary }),
    ...(approval && {
      requirement: {
        rule: { policy: "", version: 0, rule: rule.id },
        approvers: approval.approvers,
        quorum: approval.quorum,
        expiresSeconds: Math.ceil((parseDurationMs(approval.expires) ?? 0) / 1000),
      },
    }),
  };
}

const neverJudged: CompiledCondition["judge"] = () => false;

function compileConditions(texts: readonly string[], key: string, compiling: RuleCompiling): CompiledCondition[] {
  return texts.map((text, index) => {
    const pointer = below(below(compiling.pointer, key), index);
    const condition = compiling.expressions.condition(text, pointer);
    checkPaths(condition?.paths ?? [], text, pointer, compiling);
    return { text, judge: condition?.judge ?? neverJudged };
  });
}

function compileSetting(path: string, value: unknown, compiling: RuleCompiling): Setting {
  const keys = path.split(".");
  const pointer = below(below(compiling.pointer, "set"), path);
  checkPaths([{ root: "input", keys, offset: 0 }], undefined, pointer, compiling);
  if (!isExpression(value)) return { path: keys, literal: value as NonNullable<Setting["literal"]> };
  const expression = compiling.expressions.value(value.expr, below(pointer, "expr"));
  checkPaths(expression?.paths ?? [], value.expr, below(pointer, "expr"), compiling);
  return { path: keys, ...(expression ? { run: expression.run } : {}) };
}

/** A path that the schema of every tool the rule names contradicts is a typo. */
function checkPaths(
  paths: readonly PathUse[],
  text: string | undefined,
  pointer: string,
  compiling: RuleCompiling,
): void {
  const { matched = [], questions, report } = compiling;
  for (const { root, keys, offset } of paths) {
    if (root === "answers") {
      const [id = ""] = keys;
      if (questions.includes(id)) continue;
      const nearest = nearestName(id, questions);
      const place = text === undefined ? {} : { within: { text, offset } };
      report(pointer, `no rule of this policy asks \`${id}\``, { ...place, severity: "warning", nearest });
      continue;
    }
    const found = matched.map(({ metadata, spec }) => {
      const schema = root === "input" ? spec.inputSchema : spec.contextSchema;
      return { tool: metadata.name, wrong: schema && contradiction(schema, keys) };
    });
    const first = found[0];
    if (!first?.wrong || found.some(({ wrong }) => !wrong)) continue;
    const { at, names } = first.wrong;
    const shown = [root, ...keys.slice(0, at + 1)].join(".");
    report(pointer, `the ${root} of ${first.tool} has no \`${shown}\``, {
      ...(text === undefined ? { atKey: true } : { within: { text, offset } }),
      expected:
        names.length > 0 ? names.map((name) => [root, ...keys.slice(0, at), name].join(".")).join(", ") : undefined,
      nearest: nearestName(keys[at] ?? "", names),
    });
  }
}
