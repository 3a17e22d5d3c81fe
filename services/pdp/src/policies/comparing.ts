import type { Log } from "../foundation/log.ts";
import type { Fingerprint, PolicyStore } from "./policy-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** Rows that were not what this process has in force, although their revisions were. */
export interface Difference {
  readonly tenant: string;
  readonly parts: readonly (keyof Fingerprint)[];
}

/** Compares what is in force with what the store says, whole: what the polls cannot see, since no revision tells of it. */
export interface Comparing {
  /** Looks at every tenant, one after another, and loads anew those that differ. Answers what it found. */
  compare(): Promise<readonly Difference[]>;
  /** The newest differences that were found since the start, the last of them last. */
  differences(): readonly Difference[];
  /** How many were found since the start. */
  differencesFound(): number;
}

interface Rooms {
  readonly store: Pick<PolicyStore, "fingerprint">;
  held(): Iterable<Snapshot>;
  /** Whether newer policies of the tenant are on their way. */
  compiling(tenant: string): boolean;
  /** Loads a tenant, whatever its revisions say; these parts are not what was compiled. */
  reload(tenant: string, parts: Difference["parts"]): Promise<unknown>;
  readonly log: Log;
}

const DIFFERENCES_KEPT_MAX = 20;

/** The parts of which one is not the other. */
function differing(one: Fingerprint, other: Fingerprint): Difference["parts"] {
  return (Object.keys(one) as (keyof Fingerprint)[]).filter((part) => one[part] !== other[part]);
}

export function createComparing({ store, held, compiling, reload, log }: Rooms): Comparing {
  const found: Difference[] = [];
  let count = 0;

  const differenceOf = async (snapshot: Snapshot): Promise<Difference | undefined> => {
    const { tenant, revisions, fingerprint, settings } = snapshot;
    // What is on its way is not what is to be compared; and an erased tenant's rows go without a revision.
    if (!fingerprint || compiling(tenant) || settings.status !== "active") return undefined;
    const stored = await store.fingerprint(tenant);
    const { security, policy } = stored.revisions;
    if (security !== revisions.security || policy !== revisions.policy) return undefined;
    const parts = differing(stored.fingerprint, fingerprint);
    return parts.length === 0 ? undefined : { tenant, parts };
  };

  const tell = (difference: Difference): void => {
    const { tenant, parts } = difference;
    const message = "rows in the database changed without their revision; what they say now is loaded";
    log.error({ tenant, parts: parts.join(", ") }, message);
    count++;
    found.push(difference);
    if (found.length > DIFFERENCES_KEPT_MAX) found.shift();
  };

  return {
    async compare() {
      const differences: Difference[] = [];
      for (const snapshot of [...held()]) {
        try {
          const difference = await differenceOf(snapshot);
          if (!difference) continue;
          differences.push(difference);
          tell(difference);
          await reload(difference.tenant, difference.parts);
        } catch (error) {
          log.warn({ tenant: snapshot.tenant, error }, "what is in force could not be compared with what is stored");
        }
      }
      return differences;
    },
    differences: () => found,
    differencesFound: () => count,
  };
}
