import { eventually } from "../support/processes.ts";
import type { World } from "./plagues.ts";
import { withSuperuser } from "./together.ts";
import { bearer } from "./told.ts";

/**
 * What holds after whatever befell everybody, with callers going on: what has run out is ended by somebody, and every
 * account is the sum of its records, by the store's own word and by `remit budgets verify`.
 */
export async function soundAfter({ postgres, treasurer, fleet, wrong, done }: World, plague: string): Promise<void> {
  const ask = <Row>(sql: string, values: unknown[] = []) =>
    withSuperuser(postgres.superuserUrl, async (client) => (await client.query(sql, values)).rows as Row[]);
  const overdue = await ask<{ id: string }>("select id::text from hold where expires_at <= now()");
  const ids = overdue.map(({ id }) => id);
  await eventually(async () => {
    const left = await ask("select from hold where id = any($1::uuid[]) and expires_at <= now()", [ids]);
    return left.length === 0;
  });
  done("overdue holds that were ended", ids.length);
  const different = await ask("select * from remit_account_differences()");
  if (different.length > 0) wrong.push(`after "${plague}": differences such as ${JSON.stringify(different[0])}`);
  const { differences, records } = await treasurer.ask("verifying", (budgets) =>
    budgets.verifyBudgets({}, bearer(fleet.ownerKey)),
  );
  if (records === 0n) wrong.push(`after "${plague}": nothing was verified`);
  wrong.push(
    ...differences.map(({ accountId, column, books, records: sum }) => {
      return `after "${plague}": account ${accountId} has ${column} ${books}, its records come to ${sum}`;
    }),
  );
  done("times that the books were verified");
}
