import type { Frame } from "../cel/frame.ts";
import { policyExpressions } from "../compile/condition.ts";
import { compileConstraints, mergeConstraints } from "../compile/constraints.ts";
import { type GlobIndex, indexGlobs } from "../compile/glob-index.ts";
import { compileGlobs } from "../compile/pattern.ts";
import type { Steps } from "../compile/steps.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument, PolicyDocument, RuleDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import { partsOf, type RuleWritten, type Written } from "./expressions.ts";

/** A rule, and for whom it stands. */
interface Standing {
  readonly rule: RuleDocument;
  readonly name: string;
  readonly pointer: string;
  readonly report: Report;
  readonly observed: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Its place among all rules. */
  readonly order: number;
}

const warning = (code: "rule_never_matches" | "rule_shadowed") => ({ code, severity: "warning" }) as const;

const frameOfNothing = { meter: { steps: 10_000 } } as unknown as Frame;

/** What a condition that reads nothing always says; undefined where it reads something or says nothing. */
function constantOf({ expr, text }: Written): boolean | undefined {
  const reads = (part: Written["expr"]): boolean => part.exprKind.case === "identExpr" || partsOf(part).some(reads);
  if (reads(expr)) return undefined;
  const truth = policyExpressions({}, () => undefined)
    .condition(text, "")
    ?.judge({ ...frameOfNothing, meter: { steps: 10_000 } });
  return typeof truth === "boolean" ? truth : undefined;
}

/** A rule whose conditions no call can fulfil, whatever it is. */
export function neverHolds({ rule, pointer, when, unless }: RuleWritten, report: Report): void {
  const never = when.find((condition) => constantOf(condition) === false);
  if (never)
    report(never.pointer, "a condition that is never true: the rule matches nothing", warning("rule_never_matches"));
  const always = (rule.unless ?? []).length > 0 && unless.length === rule.unless?.length;
  if (always && unless.every((condition) => constantOf(condition) === true)) {
    const message = "an exception that always holds: the rule matches nothing";
    report(below(pointer, "unless"), message, warning("rule_never_matches"));
  }
}

/** A rule that fits registered tools by their names, and none of them by server and risk. */
export function excludesItself(
  { rule: { match }, pointer }: Pick<RuleWritten, "rule" | "pointer">,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): void {
  if (!match.tools || !(match.servers || match.risk)) return;
  const named = match.tools.filter((name) => tools.has(name));
  // What a glob may come to fit nobody knows.
  if (named.length === 0 || named.length < match.tools.length) return;
  const onServer = match.servers && compileGlobs(match.servers);
  const fits = named.some((name) => {
    const { server, risk } = tools.get(name)?.spec ?? {};
    if (onServer && !(server !== undefined && onServer(server))) return false;
    return !match.risk || (risk !== undefined && match.risk.includes(risk));
  });
  if (fits) return;
  const key = match.risk ? "risk" : "servers";
  report(
    below(below(pointer, "match"), key),
    "none of the tools that the rule names is such a one",
    warning("rule_never_matches"),
  );
}

const everything = "*";
const globsOf = ({ tools }: MatchDocument) => tools ?? [everything];

/** Whether every tool that fits `inner` fits `outer`. A glob covers another that it accepts letter by letter, star for star. */
function covers(outer: MatchDocument, inner: MatchDocument): boolean {
  const every = (some: readonly string[], globs: readonly string[]) => some.every(compileGlobs(globs));
  if (!every(globsOf(inner), globsOf(outer))) return false;
  if (outer.servers && !(inner.servers && every(inner.servers, outer.servers))) return false;
  const { risk } = outer;
  return !risk || (inner.risk?.every((one) => risk.includes(one)) ?? false);
}

const isUnconditional = ({ when = [], unless = [] }: RuleDocument) => when.length === 0 && unless.length === 0;

/** Whether the constraints of one add nothing to those of the other. */
function adds(one: RuleDocument, to: RuleDocument): boolean {
  const [some, others] = [compileConstraints(one.constraints ?? {}), compileConstraints(to.constraints ?? {})];
  return JSON.stringify(mergeConstraints([others, some])) !== JSON.stringify(mergeConstraints([others, others]));
}

/**
 * Whether without `inner` every call would come to the same effect, because `outer`, which has no conditions, speaks for
 * all its calls and agents: a deny whatever else there is, an allow for another allow.
 */
function outspeaks(outer: Standing, inner: Standing): boolean {
  if (outer.observed && !inner.observed) return false;
  // Its questions make answers valid for rules elsewhere.
  if (inner.rule.questions) return false;
  if (outer.rule.effect === "allow" && (inner.rule.effect !== "allow" || adds(inner.rule, outer.rule))) return false;
  const { labels } = inner;
  const applies = Object.entries(outer.labels).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  return applies && covers(outer.rule.match, inner.rule.match);
}

/** Of two rules that outspeak each other the later one is superfluous. */
const isSuperfluous = (inner: Standing, outer: Standing) =>
  outer !== inner && outspeaks(outer, inner) && (outer.order < inner.order || !isOutspoken(inner, outer));

const isOutspoken = (outer: Standing, inner: Standing) => canOutspeak(outer) && outspeaks(outer, inner);

const canOutspeak = ({ rule }: Standing) =>
  (rule.effect === "deny" || rule.effect === "allow") && isUnconditional(rule);

const standingCost = 0.3;
/** Of the rules that could outspeak one, so many are looked at. */
const candidatesMax = 64;

/** Warns of rules that another rule of the same documents makes superfluous: all that is warned of is so, not the other way round. */
export function* shadowedRules(
  policies: readonly PolicyDocument[],
  reportOf: (policy: PolicyDocument) => Report,
): Steps<void> {
  const all: Standing[] = [];
  for (const policy of policies) {
    const { metadata, spec } = policy;
    const report = reportOf(policy);
    const labels = spec.appliesTo?.agents.matchLabels ?? {};
    for (const [index, rule] of spec.rules.entries()) {
      const pointer = below("/spec/rules", index);
      const name = `${metadata.name}/${rule.id}`;
      all.push({ rule, name, pointer, report, observed: spec.mode === "observe", labels, order: all.length });
      yield standingCost;
    }
  }
  const outspeaking = all.filter(canOutspeak);
  const { globs, standings } = yield* byGlob(outspeaking);
  for (const inner of all) {
    const [first = everything] = globsOf(inner.rule.match);
    const candidates: Standing[] = [];
    for (const glob of globs.fitting(first)) {
      if (candidates.length >= candidatesMax) break;
      candidates.push(...(standings[glob] ?? []).slice(0, candidatesMax - candidates.length));
    }
    const outer = candidates.find((one) => isSuperfluous(inner, one));
    if (outer) {
      const what = outer.rule.effect === "deny" ? "denies all its calls whatever it says" : "allows all its calls";
      inner.report(
        inner.pointer,
        `the rule \`${outer.name}\` ${what}: this one is superfluous`,
        warning("rule_shadowed"),
      );
    }
    yield standingCost * (1 + candidates.length);
  }
}

function* byGlob(outspeaking: readonly Standing[]): Steps<{ globs: GlobIndex; standings: readonly Standing[][] }> {
  const found = new Map<string, Standing[]>();
  for (const one of outspeaking) {
    for (const glob of new Set(globsOf(one.rule.match))) {
      const there = found.get(glob);
      if (there) there.push(one);
      else found.set(glob, [one]);
    }
    yield standingCost;
  }
  return { globs: yield* indexGlobs([...found.keys()]), standings: [...found.values()] };
}
