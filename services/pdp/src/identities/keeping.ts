import type { Loaded } from "./identity-store.ts";
import { createKept, type Kept } from "./kept.ts";
import type { SessionState } from "./session.ts";

interface Row {
  readonly tenant: string;
}

/** What a look at the store saw, all of it at one moment. */
export interface IdentityNews {
  /** The tenants' security revisions. */
  readonly revisions: ReadonlyMap<string, { readonly security: bigint }>;
  /**
   * The rows that changed between the look before and this one: every one of them, or what is kept would pass for new.
   * Undefined where there was no look before.
   */
  readonly changed: ChangedRows | undefined;
  /** The names of the signing keys that live. */
  readonly signers: readonly string[];
}

export interface ChangedRows {
  /** Their ids, by what they are now. */
  readonly sessions: Readonly<Record<SessionState, ReadonlySet<string>>>;
  /** Their ids. */
  readonly callers: ReadonlySet<string>;
}

/** Rows of one kind that are kept, and found. */
export interface KeptRows<Entry extends Loaded<Row>> extends Pick<Kept<Entry>, "told" | "clear"> {
  /** Whether anything is known of a key. */
  has(key: string): boolean;
  /**
   * A row that is known under the newest security revision that this process knows of its tenant, if the store can tell:
   * what is kept, else what is kept once the news have caught up, else what a read answers. `anew`: from the store.
   * What is kept is answered at once, without a promise.
   */
  find(key: string, read: () => Promise<Entry | null>, anew: boolean): Promise<Entry | null> | Entry;
}

/** How what was read is kept as new as the newest news. */
export interface Keeping {
  /** Whether a row is known under the newest security revision that this process knows. */
  fresh(entry: Loaded<Row>): boolean;
  keep<Entry extends Loaded<Row>>(options: {
    readonly max: number;
    /** What else than its key an entry is told of by. */
    readonly namesOf: (entry: Entry) => readonly string[];
    /** The same entry, known to hold at the revision of the newest news. */
    readonly raise: (entry: Entry, security: bigint) => Entry;
  }): KeptRows<Entry>;
  /** The names of the signing keys that lived when the newest news were seen. */
  signers(): readonly string[];
  /** From here on what is kept is as new as these news: whoever calls has told before, in one go, what they say changed. */
  raise(news: Pick<IdentityNews, "revisions" | "signers">): void;
}

export interface KeepingRooms {
  /** The tenant's security revision as this process knows it. */
  readonly security: (tenant: string) => bigint;
  /** Resolves when news were heard that are newer than the call, or when that takes too long. Never rejects. */
  readonly catchUp: () => Promise<void>;
}

export function createKeeping({ security, catchUp }: KeepingRooms): Keeping {
  let newest: Pick<IdentityNews, "revisions" | "signers"> = { revisions: new Map(), signers: [] };
  const horizon = (tenant: string) => newest.revisions.get(tenant)?.security;
  const fresh = (entry: Loaded<Row>) => entry.security >= security(entry.row.tenant);

  const reach = async <Entry extends Loaded<Row>>(
    kept: Kept<Entry>,
    key: string,
    read: () => Promise<Entry | null>,
  ): Promise<Entry | null> => {
    if (kept.held(key)) {
      // One look at what changed, for all who wait, in place of a read for each of their rows.
      await catchUp();
      const again = kept.held(key);
      if (again && fresh(again)) return again;
    }
    const entry = await kept.load(key, read, false);
    // The read may have been under way before the change that it is asked for.
    return entry && !fresh(entry) ? kept.load(key, read, true) : entry;
  };

  return {
    fresh,
    keep(options) {
      const kept = createKept({ ...options, horizon });
      return {
        told: kept.told,
        clear: kept.clear,
        has: (key) => kept.held(key) !== undefined,
        find(key, read, anew) {
          if (anew) return kept.load(key, read, true);
          const known = kept.held(key);
          return known && fresh(known) ? known : reach(kept, key, read);
        },
      };
    },
    signers: () => newest.signers,
    raise: (news) => {
      newest = news;
    },
  };
}
