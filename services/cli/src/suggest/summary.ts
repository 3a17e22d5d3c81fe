import { counted } from "../counted.ts";
import type { Paint } from "../paint.ts";
import { table } from "../table.ts";
import { type Leaving, leavings, type Seen } from "./seen-call.ts";
import type { Suggestion } from "./suggest.ts";

function leftLines({ left }: Seen): string[] {
  return (Object.keys(leavings) as Leaving[]).flatMap((why) => {
    const count = left[why] ?? 0;
    return count === 0 ? [] : [`${counted(count, "call")} left out: they ${leavings[why]}`];
  });
}

function restrainedLines({ restrained }: Seen): string[] {
  const counts = Object.entries(restrained).map(([effect, count]) => `${effect} ${count}`);
  if (counts.length === 0) return [];
  return [`rules in force would restrain some of them (${counts.join(", ")}), and do so beside this draft too`];
}

/** What was drafted from what, and what was not, for a person. */
export function suggestionLines(seen: Seen, { policies, unregistered }: Suggestion, paint: Paint): string[] {
  const rows = policies.flatMap(({ name, rules }) =>
    rules.map(({ id, rule }) => [
      name,
      id,
      `${rule.calls}`,
      `${rule.conditions.length}`,
      rule.unbounded.length === 0 ? "" : rule.unbounded.join(", "),
    ]),
  );
  const titles = ["POLICY", "RULE", "CALLS", "BOUNDS", "NOT BOUNDED"];
  const columns = titles.map((title) => ({ title, right: title === "CALLS" || title === "BOUNDS" }));
  return [
    ...(rows.length === 0 ? [] : table(columns, rows)),
    paint.bold(`${counted(seen.calls.length, "call")} ${seen.source}: ${counted(rows.length, "rule")}`),
    ...restrainedLines(seen),
    ...leftLines(seen),
    ...(unregistered.length === 0 ? [] : [`not registered, drafted in tools.yaml: ${unregistered.join(", ")}`]),
  ];
}

/** The same for machines, with the files. */
export function suggestionJson(seen: Seen, { policies, files, unregistered }: Suggestion): unknown {
  return {
    calls: seen.calls.length,
    source: seen.source,
    left_out: seen.left,
    restrained: seen.restrained,
    unregistered,
    policies: policies.map(({ name, calls, rules }) => ({
      name,
      calls,
      rules: rules.map(({ id, rule }) => ({
        id,
        tool: rule.tool,
        calls: rule.calls,
        stops: rule.conditions.map(({ stops }) => stops),
        passes_unseen: [...rule.conditions.flatMap(({ wider }) => wider ?? []), ...rule.unbounded],
      })),
    })),
    files,
  };
}
