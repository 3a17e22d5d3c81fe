import type { Random } from "../foundation/ids.ts";
import type { WrappingKeys } from "../foundation/key-wrap.ts";
import { createDataKeys, createSeal, LedgerUnavailable, type Seal } from "../ledger/index.ts";
import { createDataKeyStore } from "../stores/data-keys.ts";
import type { CellNews } from "../stores/news-query.ts";
import { reading } from "../stores/reading.ts";
import type { Store } from "./store.ts";

interface Options {
  readonly store: Store;
  readonly wrapping: WrappingKeys;
  readonly random: Random;
  readonly newId: (nowMs: number) => string;
  readonly security: (tenant: string) => bigint;
  readonly onErased: (tenant: string) => void;
}

/** The seal of this process, and how it hears whether its cell seals. */
export function openSealing({ store, wrapping, random, newId, security, onErased }: Options) {
  const dataKeys = createDataKeys({
    store: reading(createDataKeyStore(store.pool)),
    wrapping,
    random,
    newId: () => newId(Date.now()),
    security,
    onErased,
  });
  let sealing: boolean | undefined;
  const seal: Seal = createSeal(dataKeys, () => {
    if (sealing !== undefined) return sealing;
    // Plain in a cell that seals would be worse than nothing, and so would sealed in one that does not yet.
    throw new LedgerUnavailable("no", new Error("no poll has told yet whether this cell seals"));
  });
  return {
    seal,
    dataKeys,
    heard: (cell: CellNews) => {
      sealing = cell.sealing;
    },
  };
}
