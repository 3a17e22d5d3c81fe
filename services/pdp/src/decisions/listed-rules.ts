import type { Explanation } from "@remit/engine";

type Listed = Pick<Explanation, "considered" | "skipped">;

/** Those that matched before those that were unknown, and these before the others. */
const ORDER = ["true", "unknown", "false"] as const;

/**
 * At most `most` of the rules that were considered, in the order in which they were judged, and how many more there were:
 * an answer is written in one piece.
 */
export function listedRules({ considered, skipped }: Listed, most: number): Listed {
  if (considered.length <= most) return { considered, skipped };
  const kept = new Set<Listed["considered"][number]>();
  for (const result of ORDER) {
    for (const rule of considered) {
      if (kept.size === most) break;
      if (rule.result === result) kept.add(rule);
    }
  }
  const listed = considered.filter((rule) => kept.has(rule));
  return { considered: listed, skipped: { ...skipped, notListed: considered.length - most } };
}
