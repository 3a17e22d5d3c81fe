import { toJson } from "@bufbuild/protobuf";
import { VerifyBudgetsResponseSchema } from "@remit/proto/admin";
import { keyText } from "../budget-text.ts";
import { type Cli, printJson } from "../cli.ts";
import { table } from "../table.ts";

/** Compares the books with the records; answers whether they agree. */
export async function verifyBudgets(cli: Cli, { json = false }: { readonly json?: boolean }): Promise<boolean> {
  cli.io.progress("adding up every record");
  const answer = await cli
    .clients()
    .budget.verifyBudgets({})
    .finally(() => cli.io.progress(""));
  const agree = answer.differencesFound === 0n;
  if (json) {
    printJson(cli.io, toJson(VerifyBudgetsResponseSchema, answer));
    return agree;
  }
  const compared = `${answer.accounts} accounts, ${answer.records} records`;
  if (agree) {
    cli.io.out(`ok: ${compared}; every account is the sum of its records`);
    return true;
  }
  const rows = answer.differences.map((one) => [
    one.accountId,
    one.budget || "(of a delegation)",
    keyText({ ...one, sessionId: "" }),
    ...[one.column, `${one.books} ${one.unit}`, `${one.records} ${one.unit}`],
  ]);
  const titles = ["ACCOUNT", "BUDGET", "OF", "WHAT", "BOOKS", "RECORDS"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
  cli.io.err(`${answer.differencesFound} differences in ${compared}`);
  return false;
}
