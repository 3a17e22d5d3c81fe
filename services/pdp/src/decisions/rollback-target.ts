import type { PastActivation } from "../policies/index.ts";

/**
 * The version that a policy goes back to, from what was in force of it, in order: what was in force before the version
 * that is; the last one where nothing is in force. Going back twice goes back two versions, not back and forth: a
 * version that was rolled back is no way to go back to. Undefined when there is nothing before.
 */
export function rollbackTarget(history: readonly Omit<PastActivation, "policy">[]): number | undefined {
  const way: number[] = [];
  for (const { version, cause } of history) {
    const back = cause === "rolled_back" ? way.lastIndexOf(version) : -1;
    if (back >= 0) way.length = back + 1;
    else if (way.at(-1) !== version) way.push(version);
  }
  return history.at(-1)?.living ? way.at(-2) : way.at(-1);
}
