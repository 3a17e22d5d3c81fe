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
  const room = { true: 0, unknown: 0, false: 0 };
  for (const { result } of considered) room[result]++;
  let left = most;
  for (const result of ORDER) {
    room[result] = Math.min(room[result], left);
    left -= room[result];
  }
  const listed = considered.filter(({ result }) => room[result]-- > 0);
  return { considered: listed, skipped: { ...skipped, notListed: considered.length - most } };
}
