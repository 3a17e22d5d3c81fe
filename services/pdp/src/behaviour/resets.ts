import type { Reset } from "./behaviour-store.ts";

const keyOf = (tenant: string, run: string, tool: string | undefined) => JSON.stringify([tenant, run, tool]);

/** More than are made here while one read is under way. */
const OWN_MAX = 100;

/** Until when operators have set aside what was counted. */
export function createResets() {
  let known: ReadonlyMap<string, number> = new Map();
  // Made here, and maybe newer than what was just read.
  const own: Reset[] = [];
  return {
    /** The newest of a run's tool, or of all of its tools; 0 when there is none. */
    of(tenant: string, run: string, tool: string): number {
      if (known.size === 0) return 0;
      const [one, all] = [known.get(keyOf(tenant, run, tool)), known.get(keyOf(tenant, run, undefined))];
      return Math.max(one ?? 0, all ?? 0);
    },
    set(resets: readonly Reset[]): void {
      const made = new Map<string, number>();
      for (const { tenant, run, tool, atMs } of [...resets, ...own]) {
        const key = keyOf(tenant, run, tool);
        made.set(key, Math.max(made.get(key) ?? 0, atMs));
      }
      known = made;
    },
    add(reset: Reset): void {
      own.push(reset);
      if (own.length > OWN_MAX) own.shift();
      const key = keyOf(reset.tenant, reset.run, reset.tool);
      known = new Map(known).set(key, Math.max(known.get(key) ?? 0, reset.atMs));
    },
  };
}
