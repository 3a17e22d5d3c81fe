import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { createNameMap } from "../foundation/name-map.ts";
import { createRecent, partOfNumber, partsFor } from "../foundation/recent.ts";
import type { Account, AccountName, Balance } from "./account.ts";
import type { BudgetStore } from "./budget-store.ts";

/** What is known here of accounts: which there are, and what they held when the store last said so. */
export interface Budgets {
  /**
   * The accounts of these names in their windows of now, in the names' order; null where no such budget is declared. At
   * once where all are known; else all that are missing are opened in one trip, which whoever asks meanwhile shares.
   */
  accounts(
    tenant: string,
    names: readonly AccountName[],
    withinMs: number,
  ): readonly Account[] | Promise<readonly (Account | null)[]>;
  /** The accounts of these names in their windows of a time that is over, in the names' order. Nothing of it is kept here. */
  accountsThen(tenant: string, names: readonly AccountName[], atMs: number): Promise<readonly (Account | null)[]>;
  /** What a commit said of accounts. */
  heard(balances: readonly Balance[]): void;
  /** What is known of an account, and since when by the clock of this process; undefined where nothing is. */
  known(account: bigint): Known | undefined;
  /** Balances no older than this, asked for in one trip where they are. */
  fresh(tenant: string, accounts: readonly Account[], maxAgeMs: number, withinMs: number): Promise<void> | undefined;
  /** Balances now, of accounts that nothing is known of here. */
  balances(tenant: string, accounts: readonly bigint[], withinMs: number): Promise<readonly Balance[]>;
  /** Its window is over, or it is not there any more: it is opened anew when it is next needed. */
  forget(account: bigint): void;
}

interface Known {
  readonly account: Account;
  readonly asOfMs: number;
}

interface Options {
  readonly store: Pick<BudgetStore, "openAccounts" | "openAccountsThen" | "balances">;
  /** The store's time: windows end by it. */
  readonly clock: Clock;
  /** Passes as this process does. */
  readonly uptime: Clock;
  readonly accountsMax: number;
  /** Awaited after trips that have opened many accounts, which stay in use; absent: nothing is. */
  readonly pause?: Pause | undefined;
}

/** Where the trip that opens an account answers it. */
interface Opening {
  readonly answered: Promise<readonly (Account | null)[]>;
  readonly at: number;
}

/** Accounts that are opened between two pauses. */
const OPENED_AT_ONCE = 128;

const nameOf = (tenant: string, { budget, key }: AccountName) => `${tenant}\n${budget}\n${key}`;

/** Bounds a trip that the caller waits for: the store may be away in a way that answers nothing at all. */
async function within<Value>(ms: number, trip: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const away = () =>
      reject(new Fault("unavailable", "ledger_unavailable", "the budgets cannot be read", { fix: "ask again later" }));
    timer = setTimeout(away, ms);
  });
  return Promise.race([trip, late]).finally(() => clearTimeout(timer));
}

/** The names of accounts by their ids, of so many accounts: in parts, for the same reason as what is recent. */
function createNames(max: number) {
  const count = partsFor(max);
  const parts = Array.from({ length: count }, () => new Map<bigint, string>());
  const of = (id: bigint) => parts[partOfNumber(id, count)];
  return {
    get: (id: bigint) => of(id)?.get(id),
    set: (id: bigint, name: string) => void of(id)?.set(id, name),
    delete: (id: bigint) => void of(id)?.delete(id),
  };
}

/** Accounts by their names, as many as may be kept, and by their ids. */
function createKept(accountsMax: number) {
  const names = createNames(accountsMax);
  const held = createRecent<Known>(accountsMax, ({ account: { id } }, name) => {
    // One that was learnt anew has its name again by then.
    if (names.get(id) === name) names.delete(id);
  });
  return {
    /** The account of a name whose window is current. */
    current(name: string, nowMs: number): Account | undefined {
      const account = held.get(name)?.account;
      return account && nowMs < account.closesAtMs ? account : undefined;
    },
    keep(name: string, account: Account, asOfMs: number): void {
      const before = held.peek(name)?.account.id;
      if (before !== undefined && before !== account.id) names.delete(before);
      names.set(account.id, name);
      held.set(name, { account, asOfMs });
    },
    known(account: bigint): Known | undefined {
      const name = names.get(account);
      return name === undefined ? undefined : held.peek(name);
    },
    heard(balances: readonly Balance[], asOfMs: number): void {
      for (const balance of balances) {
        const name = names.get(balance.account);
        const account = name === undefined ? undefined : held.peek(name)?.account;
        // What a commit says of an account it says to each record that charged it.
        if (name === undefined || !account || account.balance === balance) continue;
        held.set(name, { account: { ...account, balance }, asOfMs });
      }
    },
    forget(account: bigint): void {
      const name = names.get(account);
      if (name !== undefined) held.delete(name);
    },
  };
}

export function createBudgets({ store, clock, uptime, accountsMax, pause }: Options): Budgets {
  const { current, keep, known, heard, forget } = createKept(accountsMax);
  const opening = createNameMap<Opening>();
  let sincePause = 0;

  /** One trip for all of these. Each is under way until it is answered. */
  const open = (tenant: string, missing: readonly AccountName[], texts: readonly string[]) => {
    const askedAtMs = uptime.now();
    const over = () => {
      for (const text of texts) opening.delete(text);
    };
    const answered = store.openAccounts(tenant, missing).then(
      async (opened) => {
        over();
        for (const [at, text] of texts.entries()) {
          const account = opened[at];
          if (account && !account.full) keep(text, account, askedAtMs);
        }
        sincePause += texts.length;
        if (sincePause < OPENED_AT_ONCE) return opened;
        sincePause = 0;
        await pause?.();
        return opened;
      },
      (error: unknown) => {
        over();
        throw error;
      },
    );
    for (const [at, text] of texts.entries()) opening.set(text, { answered, at });
  };

  /** What is known, and what trips answer that are under way. */
  const answersOf = async (known: readonly (Account | Opening)[]): Promise<readonly (Account | null)[]> => {
    const trips = new Set(known.flatMap((one) => ("answered" in one ? one.answered : [])));
    const answers = new Map(await Promise.all([...trips].map(async (trip) => [trip, await trip] as const)));
    return known.map((one) => ("answered" in one ? (answers.get(one.answered)?.[one.at] ?? null) : one));
  };

  return {
    accounts(tenant, wanted, withinMs) {
      const nowMs = clock.now();
      const texts: string[] = [];
      const found: (Account | undefined)[] = [];
      let known = 0;
      for (const name of wanted) {
        const text = nameOf(tenant, name);
        const account = current(text, nowMs);
        if (account) known++;
        texts.push(text);
        found.push(account);
      }
      if (known === wanted.length) return found as Account[];
      const isMissing = (text: string, at: number) => !found[at] && !opening.has(text);
      const missing = wanted.filter((_, at) => isMissing(texts[at] ?? "", at));
      if (missing.length > 0) open(tenant, missing, texts.filter(isMissing));
      const answers = texts.map((text, at) => found[at] ?? (opening.get(text) as Opening));
      return within(withinMs, answersOf(answers));
    },
    balances: (tenant, accounts, withinMs) => within(withinMs, store.balances(tenant, accounts)),
    accountsThen: (tenant, names, atMs) => store.openAccountsThen(tenant, names, atMs),
    heard: (balances) => heard(balances, uptime.now()),
    known,
    fresh(tenant, accounts, maxAgeMs, withinMs) {
      const nowMs = uptime.now();
      const old = accounts.filter(({ id }) => (known(id)?.asOfMs ?? Number.NEGATIVE_INFINITY) < nowMs - maxAgeMs);
      if (old.length === 0) return undefined;
      const ids = old.map(({ id }) => id);
      return within(withinMs, store.balances(tenant, ids)).then((balances) => heard(balances, nowMs));
    },
    forget,
  };
}
