import type { Random } from "../foundation/ids.ts";
import type { WrappingKeys } from "../foundation/key-wrap.ts";
import { createDataKeys, createSeal, type Seal } from "../ledger/index.ts";
import type { CellNews } from "../stores/change-feed.ts";
import { createDataKeyStore } from "../stores/data-keys.ts";
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
  let sealing = false;
  const seal: Seal = createSeal(dataKeys, () => sealing);
  return {
    seal,
    dataKeys,
    heard: (cell: CellNews) => {
      sealing = cell.sealing;
    },
  };
}
