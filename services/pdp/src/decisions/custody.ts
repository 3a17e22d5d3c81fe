import { type Clock, rfc3339 } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Random } from "../foundation/ids.ts";
import { rewrap, type WrappingKeys } from "../foundation/key-wrap.ts";
import {
  type Caller,
  FIRST_TENANT,
  makeSigningKey,
  outlivedAtMs,
  type SigningKeys,
  signingKeyPurpose,
} from "../identities/index.ts";
import { dataKeyPurpose } from "../ledger/index.ts";
import type { MakeChange } from "./changes.ts";
import type { CustodyStore, ListedSigningKey } from "./custody-store.ts";
import type { Rewrapped } from "./key-change.ts";

/** At most two signing keys live: the newest signs, both verify. */
const LIVING_MAX = 2;
/** Keys that one entry tells of, and one request rewraps; rows that one statement, and one request, blanks. */
const REWRAP_BATCH = 100;
const REWRAP_REQUEST = 2_000;
const ERASE_BATCH = 500;
const ERASE_REQUEST_MS = 2_000;

type Maker = Pick<Caller, "id" | "name" | "tenant">;

/** What keeps the keys of the cell. All but `tend` is granted to cell operators alone. */
export interface Custody {
  signingKeys(): Promise<ListedSigningKey[]>;
  /**
   * Makes a new signing key. The one before it verifies on until no token that it signed is of use; refused before an
   * even older one has come that far. `atOnce` retires all older ones now, whatever they signed.
   */
  rotate(by: Caller, atOnce: boolean): Promise<{ readonly kid: string; readonly retired: readonly string[] }>;
  /** Wraps what the previous key wraps by the current one. To be repeated until nothing is left. */
  rewrap(by: Caller): Promise<{ readonly signing: number; readonly data: number; readonly more: boolean }>;
  /** From now on what is recorded is sealed, in the whole cell. Builds before this one cannot read it. */
  enableSealing(by: Caller): Promise<void>;
  /**
   * Destroys a tenant's data key and blanks what its other rows say of people. `confirm` repeats the name. To be
   * repeated until no rows are left.
   */
  erase(by: Caller, tenant: string, confirm: string): Promise<{ readonly rows: number; readonly more: boolean }>;
  /** Retires the signing key that has outlived its tokens, and makes a new one when the newest is of age. */
  tend(ageMaxMs: number): Promise<void>;
}

interface Rooms {
  readonly store: CustodyStore;
  readonly change: MakeChange;
  readonly signingKeys: SigningKeys;
  readonly wrapping: WrappingKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: (nowMs: number) => string;
  /** Whom entries name when nobody asked. */
  readonly self: Maker;
}

function raced(): Fault {
  return new Fault("aborted", "revision_conflict", "the keys were changed by another at the same time", {
    fix: "look at `remit keys signing list`, and ask again",
  });
}

function tooSoon(outlivedAt: number): Fault {
  return new Fault("precondition", "rotation_too_soon", `${LIVING_MAX} signing keys are in use already`, {
    limit: `until ${rfc3339(outlivedAt)}, when no token of the older one is of use any more`,
    fix: "wait until then; if a key has leaked, retire the older ones at once: `remit keys signing rotate --retire-now`",
  });
}

function requireErasable(tenant: string, confirm: string): void {
  if (tenant === FIRST_TENANT) {
    throw invalid("tenant", `the tenant ${FIRST_TENANT} holds the cell's operators and cannot be erased`);
  }
  if (confirm === tenant) return;
  throw invalid("confirm", "erasing cannot be undone: the tenant's name must be given a second time", {
    fix: `send confirm: ${JSON.stringify(tenant)}`,
  });
}

/** Makes new signing keys and retires old ones. */
function createRotation({ store, change, signingKeys, wrapping, clock, random }: Rooms) {
  const refresh = () => signingKeys.refresh().catch(() => undefined);

  const rotate = async (by: Maker, atOnce: boolean) => {
    const nowMs = clock.now();
    const living = await store.signingKeys();
    const [newest] = living;
    // What is older than the key before the new one must have outlived its tokens.
    const older = atOnce ? living : living.slice(LIVING_MAX - 1);
    if (!atOnce && newest && older.length > 0 && nowMs < outlivedAtMs(newest)) throw tooSoon(outlivedAtMs(newest));
    const made = await makeSigningKey(wrapping, random, Math.max(nowMs, (newest?.createdAtMs ?? 0) + 1));
    const retired = older.map(({ kid }) => kid);
    const names = living.map(({ kid }) => kid);
    const done = await change(by, { kind: "signing_key_rotated", made, living: names, retired, atOnce });
    if (!done.ok) throw raced();
    await refresh();
    return { kid: made.kid, retired };
  };

  const tend = async (by: Maker, ageMaxMs: number) => {
    const nowMs = clock.now();
    const [newest, ...older] = await store.signingKeys();
    if (!newest) return;
    const oldest = older.at(-1);
    if (oldest && nowMs >= outlivedAtMs(older.at(-2) ?? newest)) {
      await change(by, { kind: "signing_key_retired", kid: oldest.kid });
      await refresh();
    } else if (!oldest && ageMaxMs > 0 && nowMs - newest.createdAtMs >= ageMaxMs) {
      await rotate(by, false);
    }
  };
  return { rotate, tend };
}

/** Wraps keys anew, a batch a commit: what is interrupted goes on where it was. */
function createRewrapping({ store, change, wrapping, random }: Rooms) {
  const anew = (id: string, purpose: string, bytes: Uint8Array, by: string): Rewrapped[] => {
    const wrapped = rewrap(wrapping, purpose, { bytes, by }, random);
    return wrapped ? [{ id, was: by, wrapped }] : [];
  };

  return async (by: Maker) => {
    let signing = 0;
    let data = 0;
    while (signing + data < REWRAP_REQUEST) {
      const keys = await store.signingKeys();
      const signed = keys.flatMap(({ kid, wrappedPrivate, wrappedBy }) =>
        anew(kid, signingKeyPurpose(kid), wrappedPrivate, wrappedBy),
      );
      const others = await store.dataKeysNotBy(wrapping.current.id, REWRAP_BATCH);
      const held = others.flatMap((key) =>
        key.wrapped ? anew(key.id, dataKeyPurpose(key), key.wrapped, key.wrappedBy) : [],
      );
      if (signed.length + held.length === 0) return { signing, data, more: false };
      const done = await change(by, { kind: "keys_rewrapped", signing: signed, data: held });
      if (!done.ok) throw raced();
      signing += signed.length;
      data += held.length;
    }
    return { signing, data, more: true };
  };
}

export function createCustody(rooms: Rooms): Custody {
  const { store, change, newId, clock, self } = rooms;
  const rotation = createRotation(rooms);
  const rewrapAll = createRewrapping(rooms);

  return {
    signingKeys: () => store.listSigningKeys(),
    async rotate(by, atOnce) {
      return rotation.rotate(by, atOnce);
    },
    async rewrap(by) {
      return rewrapAll(by);
    },
    async enableSealing(by) {
      await change(by, { kind: "sealing_enabled" });
    },
    async erase(by, tenant, confirm) {
      requireErasable(tenant, confirm);
      const done = await change(by, { kind: "tenant_erased", tenant, huskId: newId(clock.now()) });
      // It was erased before: what is left of its rows is.
      if (!done.ok && done.refusal === "missing") {
        throw new Fault("missing", "tenant_unknown", "there is no such tenant", { field: "tenant" });
      }
      const endMs = performance.now() + ERASE_REQUEST_MS;
      let rows = 0;
      for (let touched = 1; touched > 0; rows += touched) {
        if (performance.now() >= endMs) return { rows, more: true };
        touched = await store.eraseRows(tenant, ERASE_BATCH);
      }
      return { rows, more: false };
    },
    tend: (ageMaxMs) => rotation.tend(self, ageMaxMs),
  };
}
