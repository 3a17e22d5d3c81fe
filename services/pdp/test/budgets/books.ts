import type { ClientBase } from "pg";
import type { Charge, Move } from "../../src/ledger/index.ts";
import { TENANT } from "../ledger/postgres.ts";
import { type TestDatabase, withClient } from "../support/test-database.ts";

/** A move of an account; what is not said is nothing. */
export const move = (account: bigint, own: Partial<Move> = {}): Move => ({
  ...{ account, held: 0n, posted: 0n, overage: 0n },
  ...own,
});

const FAR_MS = Date.UTC(2100, 0, 1);

export const take = (moves: readonly Move[], own: { expiresAtMs?: number; pending?: boolean } = {}): Charge => ({
  moves,
  hold: { step: "take", expiresAtMs: FAR_MS, pending: false, ...own },
});

export const end = (hold: string, moves: readonly Move[], decision = hold): Charge => ({
  moves,
  hold: { step: "end", hold, decision },
});

export interface Declared {
  readonly name: string;
  readonly limit: string;
  readonly window?: string;
  readonly timeZone?: string;
  readonly enforcement?: "hard" | "soft";
  readonly unit?: string;
}

/** Declares a budget, or puts it in the place of the one with its name. */
export async function declare(client: ClientBase, { name, ...own }: Declared, tenant = TENANT): Promise<void> {
  const spec = { unit: "EUR", window: "lifetime", owner: "tenant", enforcement: "hard", ...own };
  await client.query(
    `insert into budget (tenant, name, document, source, digest, revision) values ($1, $2, $3, '', sha256(''), 1)
     on conflict (tenant, name) do update set document = excluded.document`,
    [tenant, name, JSON.stringify({ apiVersion: "remit/v1", kind: "Budget", metadata: { name }, spec })],
  );
}

/** Declares budgets and opens their accounts, whose ids it answers in order. */
export async function openBooks(database: TestDatabase, budgets: readonly Declared[], keys: readonly string[] = [""]) {
  return withClient(database.ownerUrl, async (client) => {
    for (const budget of budgets) await declare(client, budget);
    const names = budgets.flatMap(({ name }) => keys.map((key) => ({ name, key })));
    const { rows } = await client.query<{ id: string }>(
      "select id::text from remit_open_accounts($1, $2, $3) order by i",
      [TENANT, names.map(({ name }) => name), names.map(({ key }) => key)],
    );
    return rows.map(({ id }) => BigInt(id));
  });
}

export interface BookRow {
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
  readonly ceiling: bigint;
  readonly frozen: boolean;
}

export async function readBook({ ownerUrl }: TestDatabase, account: bigint): Promise<BookRow | undefined> {
  return withClient(ownerUrl, async (client) => {
    const { rows } = await client.query("select held, posted, overage, ceiling, frozen from account where id = $1", [
      account.toString(),
    ]);
    const [row] = rows;
    if (!row) return undefined;
    const amount = (name: string) => BigInt(row[name]);
    return {
      ...{ held: amount("held"), posted: amount("posted"), overage: amount("overage"), ceiling: amount("ceiling") },
      frozen: row.frozen,
    };
  });
}

/** What the records say of the accounts that the accounts do not; and the holds that are open. */
export async function audit({ ownerUrl }: TestDatabase): Promise<{ differences: unknown[]; heldWrongly: unknown[] }> {
  return withClient(ownerUrl, async (client) => {
    const { rows: differences } = await client.query("select * from remit_account_differences()");
    const { rows: heldWrongly } = await client.query(
      `select a.id, a.held, coalesce(h.held, 0) as of_holds from account a
        left join (select x.account, sum(x.amount) as held from hold, unnest(accounts, amounts) as x (account, amount)
          group by x.account) h on h.account = a.id
        where a.held <> coalesce(h.held, 0)`,
    );
    return { differences, heldWrongly };
  });
}
