import { literal } from "./cel-text.ts";
import type { Engine } from "./facts.ts";
import { hides } from "./redacted.ts";
import { type DraftRule, draftRule } from "./rule.ts";
import type { SeenCall } from "./seen-call.ts";

type Labels = Readonly<Record<string, string>>;

/** A rule and what it is called. */
export interface NamedRule {
  readonly id: string;
  /** What says whose calls are meant, beside the conditions on arguments. */
  readonly guard: readonly string[];
  readonly rule: DraftRule;
}

/** A policy for one agent, or for the agents that carry the same labels. */
export interface DraftPolicy {
  readonly name: string;
  /** In words. */
  readonly whose: string;
  readonly calls: number;
  readonly rules: readonly NamedRule[];
  /** The labels that an agent must carry; undefined where the rules name the agent. */
  readonly labels: Labels | undefined;
  /** Which agents it is for beyond those that were seen, in words. */
  readonly selects: string | undefined;
}

export interface Drafting {
  readonly engine: Engine;
  readonly calls: readonly SeenCall[];
  /** Whether agents that carry the same labels share a policy; else each has its own, which names it. */
  readonly byLabels: boolean;
  /** The paths of a tool's calls whose values are not for readers. */
  readonly redacted: (tool: string) => readonly string[];
}

const NAME_CHARS_MAX = 100;

/** Gives every thing a name that documents may have and that nothing else has. */
function namer(): (text: string) => string {
  const taken = new Set<string>();
  return (text) => {
    const clean =
      text
        .replace(/[^A-Za-z0-9_.-]+/g, "-")
        .replace(/^[.-]+/, "")
        .slice(0, NAME_CHARS_MAX) || "unnamed";
    let name = clean;
    for (let n = 2; taken.has(name); n++) name = `${clean}-${n}`;
    taken.add(name);
    return name;
  };
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group);
}

const labelText = (labels: Labels) =>
  Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

function selectorOf(labels: Labels): Pick<DraftPolicy, "labels" | "whose" | "selects"> {
  const text = labelText(labels);
  if (text === "") return { labels, whose: "agents without labels", selects: "of the tenant" };
  return { labels, whose: `agents labelled ${text}`, selects: `labelled ${text}` };
}

/** Drafts one policy an agent, with one rule a tool; or one a set of labels. */
export function draftPolicies({ engine, calls, byLabels, redacted }: Drafting): DraftPolicy[] {
  const policyName = namer();
  return grouped(calls, ({ agent }) => (byLabels ? labelText(agent.labels) : agent.id)).flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { agent } = first;
    const ruleId = namer();
    const guard = byLabels ? [] : [`agent.id == ${literal(agent.id)}`];
    const rules = grouped(group, ({ tool }) => tool).flatMap((ofTool) => {
      const tool = ofTool[0]?.tool ?? "";
      const paths = redacted(tool);
      const rule = draftRule(engine, tool, ofTool, (keys) => hides(paths, keys));
      return [{ id: ruleId(tool), guard, rule }];
    });
    const whose = byLabels
      ? selectorOf(agent.labels)
      : { labels: undefined, whose: `the agent ${agent.id}`, selects: undefined };
    const name = byLabels ? labelText(agent.labels) || "every-agent" : agent.id;
    return [{ name: policyName(`suggested-${name}`), calls: group.length, rules, ...whose }];
  });
}
