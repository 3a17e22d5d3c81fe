import type { Reset } from "./behaviour-store.ts";

const keyOf = (tenant: string, run: string, tool: string | undefined) => JSON.stringify([tenant, run, tool]);

/** Until when operators have set aside what was counted. */
export function createResets() {
  let known: ReadonlyMap<string, number> = new Map();
  return {
    /** The newest of a run's tool, or of all of its tools; 0 when there is none. */
    of(tenant: string, run: string, tool: string): number {
      if (known.size === 0) return 0;
      const [one, all] = [known.get(keyOf(tenant, run, tool)), known.get(keyOf(tenant, run, undefined))];
      return Math.max(one ?? 0, all ?? 0);
    },
    set(resets: readonly Reset[]): void {
      const made = new Map<string, number>();
      for (const { tenant, run, tool, atMs } of resets) {
        const key = keyOf(tenant, run, tool);
        made.set(key, Math.max(made.get(key) ?? 0, atMs));
      }
      known = made;
    },
  };
}
