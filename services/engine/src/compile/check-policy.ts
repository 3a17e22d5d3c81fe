import { nearestName } from "../documents/nearest.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { CompiledPolicy, PathsRead } from "./compile-policy.ts";
import { isExactName } from "./pattern.ts";
import { contradiction } from "./schema-path.ts";
import type { Steps } from "./steps.ts";

const ruleCost = 0.2;

/** What a rule's paths are held against. */
interface Beside {
  /** The tools that the rule names, if it matches no others. */
  readonly matched: readonly ToolDocument[];
  /** The ids of every question of the policy. */
  readonly questions: readonly string[];
  readonly report: Report;
}

/** Compares a policy with the registered tools: names that nobody registered, paths that their schemas contradict. */
export function* checkPolicy(
  { document, reads }: CompiledPolicy,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): Steps<void> {
  const { rules } = document.spec;
  const questions = rules.flatMap((rule) => (rule.questions ?? []).map(({ id }) => id));
  for (const [index, rule] of rules.entries()) {
    const pointer = below(below("/spec/rules", index), "match");
    const matched = matchedTools(rule.match, pointer, tools, report) ?? [];
    for (const read of reads[index] ?? []) checkPaths(read, { matched, questions, report });
    yield ruleCost;
  }
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
      code: "tool_unregistered",
      severity: "warning",
      nearest: nearestName(name, tools.keys()),
    });
  }
  return closed ? exact : undefined;
}

/** A path that the schema of every tool the rule names contradicts is a typo. */
function checkPaths({ paths, text, pointer }: PathsRead, beside: Beside): void {
  const { matched, questions, report } = beside;
  for (const { root, keys, offset } of paths) {
    if (root === "answers") {
      const [id = ""] = keys;
      if (questions.includes(id)) continue;
      const nearest = nearestName(id, questions);
      const place = text === undefined ? {} : { within: { text, offset } };
      report(pointer, `no rule of this policy asks \`${id}\``, {
        ...place,
        code: "answer_unasked",
        severity: "warning",
        nearest,
      });
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
      code: "path_unknown",
      ...(text === undefined ? { atKey: true } : { within: { text, offset } }),
      expected:
        names.length > 0 ? names.map((name) => [root, ...keys.slice(0, at), name].join(".")).join(", ") : undefined,
      nearest: nearestName(keys[at] ?? "", names),
    });
  }
}
