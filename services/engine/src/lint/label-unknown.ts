import type { Steps } from "../compile/steps.ts";
import { nearestName } from "../documents/nearest.ts";
import { below, type Report } from "../documents/origin.ts";
import type { PolicyDocument } from "../documents/policy.ts";
import type { KnownNames } from "./known-names.ts";

const pointer = "/spec/appliesTo/agents/matchLabels";

/** Looking for the nearest of very many. */
const nearestCost = 50;

/** A selector of agents that no registered agent fits: the policy judges nobody. */
export function* labelUnknown({ spec }: PolicyDocument, { labels }: KnownNames, report: Report): Steps<void> {
  const selector = Object.entries(spec.appliesTo?.agents.matchLabels ?? {});
  if (!labels || selector.length === 0) return;
  const carried = labels();
  for (const [name, value] of selector) {
    const values = carried.get(name);
    if (values?.has(value)) continue;
    yield nearestCost;
    const details = { code: "label_unknown", severity: "warning" } as const;
    if (values) {
      const message = `no registered agent carries the label \`${name}: ${value}\``;
      report(below(pointer, name), message, { ...details, nearest: () => nearestName(value, values) });
    } else {
      const message = `no registered agent carries a label \`${name}\``;
      report(below(pointer, name), message, {
        ...details,
        atKey: true,
        nearest: () => nearestName(name, carried.keys()),
      });
    }
  }
}
