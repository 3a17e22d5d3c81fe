import { randomUUID } from "node:crypto";
import { type TestDatabase, withClient } from "./test-database.ts";

/*
 * Books of budgets by hand, where a test is about what stands in them and not about how it came there.
 */

interface Wanted {
  readonly budget: string;
  /** Canonical JSON; empty where the budget has a single account. */
  readonly key?: string;
}

/** Opens an account of a budget as a call would. Answers its number. */
export function openAccount({ superuserUrl }: TestDatabase, tenant: string, { budget, key = "" }: Wanted) {
  return withClient(superuserUrl, async (client) => {
    const { rows } = await client.query<{ id: string }>("select id::text from remit_open_accounts($1, $2, $3)", [
      ...[tenant, [budget], [key]],
    ]);
    return rows[0]?.id ?? "";
  });
}

/** Spends and holds, as records would have: of an account that nothing else moves meanwhile. */
export function setBooks(
  { superuserUrl }: TestDatabase,
  account: string,
  {
    held = 0,
    posted = 0,
    overage = 0,
  }: { readonly held?: number; readonly posted?: number; readonly overage?: number },
) {
  return withClient(superuserUrl, (client) =>
    client.query(
      `update account set held = $2::bigint * 1000000, posted = $3::bigint * 1000000, overage = $4::bigint * 1000000,
          ceiling = greatest(ceiling, ($2::bigint + $3::bigint) * 1000000) where id = $1`,
      [account, held, posted, overage],
    ),
  );
}

/** A hold on the one account of a budget, of a decision that is not there. In whole units. */
export async function holdFor(
  database: TestDatabase,
  tenant: string,
  of: Wanted & { readonly session: string; readonly amount?: number; readonly pending?: boolean },
): Promise<{ readonly hold: string; readonly account: string }> {
  const account = await openAccount(database, tenant, of);
  const hold = randomUUID();
  await withClient(database.superuserUrl, async (client) => {
    const micros = String((of.amount ?? 1) * 1_000_000);
    await client.query(
      `insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
       values ($1, $2, $1, $3, (now() at time zone 'utc')::date, $4, $5, $6, now() + interval '5 minutes')`,
      [hold, tenant, of.session, [account], [micros], of.pending ?? false],
    );
    await client.query("update account set held = held + $2::bigint where id = $1", [account, micros]);
  });
  return { hold, account };
}
