import { counted } from "../counted.ts";
import { literal } from "./cel-text.ts";
import type { DraftPolicy, NamedRule } from "./draft.ts";
import { comments, conditionScalar, scalar } from "./yaml-text.ts";

function ruleLines({ id, rule, guard }: NamedRule): string[] {
  const { tool, calls, conditions, unbounded } = rule;
  const wider = [...conditions.flatMap((one) => one.wider ?? []), ...unbounded];
  const needs = conditions.flatMap((one) => one.needs ?? []);
  const without = needs.length === 0 ? [] : [`without ${needs.join(" or ")}`];
  const stops = [...without, ...conditions.map(({ stops: text }) => text.trim())];
  const about = [
    `${counted(calls, "call")}. Stopped from now on:`,
    ...stops.map((text) => `  ${text}`),
    ...(wider.length > 0 ? ["Passes, though it was not seen:", ...wider.map((text) => `  ${text}`)] : []),
  ];
  const when = [...guard, ...conditions.map(({ text }) => text)];
  return [
    ...comments(
      stops.length === 0 ? [about[0]?.replace(" Stopped from now on:", "") ?? "", ...about.slice(1)] : about,
      "    ",
    ),
    `    - id: ${scalar(id)}`,
    `      description: Drafted from ${counted(calls, "call")}.`,
    `      match: { tools: [${scalar(tool)}] }`,
    ...(when.length > 0 ? ["      when:", ...when.map((text) => `        - ${conditionScalar(text)}`)] : []),
    "      effect: allow",
  ];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${scalar(name)}: ${literal(value)}`)
    .join(", ");
}

/** A policy as a file that people read: what each rule rests on, what it stops, what it lets through unseen. */
export function policyText({ name, whose, calls, rules, labels, selects }: DraftPolicy, source: string): string {
  const head = [
    `Drafted by \`remit policy suggest\` from ${counted(calls, "call")} of ${whose} ${source}.`,
    "",
    'Each of these calls is allowed. Nothing else is, but what stands under "passes, though it was not seen" of a rule:',
    "numbers between those that were seen, texts of their form, paths and URLs in their places, any value where it says so.",
    ...(selects ? [`It is for every agent ${selects}, also for those that were not seen.`] : []),
    "The rules read the agent, the tool and its arguments, and the principal where one of them was always its id. They read",
    "neither context nor session, time or number of calls.",
    "Values of real calls stand in here. Read it, narrow it, and strike out what should not go on.",
  ];
  return [
    ...comments(head),
    "apiVersion: remit/v1",
    "kind: Policy",
    "metadata:",
    `  name: ${scalar(name)}`,
    `  description: ${literal(`Drafted from ${counted(calls, "call")} of ${whose}.`)}`,
    "spec:",
    ...(labels && Object.keys(labels).length > 0
      ? [`  appliesTo: { agents: { matchLabels: { ${labelsText(labels)} } } }`]
      : []),
    "  rules:",
    ...rules.flatMap(ruleLines),
    "",
  ].join("\n");
}
