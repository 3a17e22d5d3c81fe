import { create, toJson } from "@bufbuild/protobuf";
import {
  type Budget,
  type BudgetAccount,
  GetBudgetResponseSchema,
  ListAccountsResponseSchema,
  ListBudgetsResponseSchema,
} from "@remit/proto/admin";
import type { Command } from "commander";
import {
  accountLines,
  burnBar,
  declarationText,
  freezeText,
  keyText,
  percentText,
  stateText,
  zonedText,
} from "../budget-text.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem, pagesOf } from "../pages.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { table } from "../table.ts";
import { addBudgetLimits } from "./budget-limits.ts";
import { verifyBudgets } from "./budget-verify.ts";

interface JsonFlag {
  json?: boolean;
}

const RIGHT = new Set(["LIMIT", "SPENT", "HELD", "FREE", "USED", "UNUSUAL"]);
const columns = (titles: readonly string[]) => titles.map((title) => ({ title, right: RIGHT.has(title) }));

function budgetRow({ name, limit, window, timeZone, enforcement, account, accounts, freeze }: Budget): string[] {
  const soft = enforcement === "soft";
  const unit = limit?.unit ?? "";
  const said = account ?? { limit: limit?.value ?? "", spent: "0", held: "0", free: limit?.value ?? "" };
  const used = account ? `${burnBar(account)} ${percentText(account.limitUsedBasisPoints).padStart(4)}` : "";
  return [
    name,
    `${said.limit} ${unit}`,
    ...[said.spent, said.held, said.free, used],
    account?.closesAt ? zonedText(account.closesAt, timeZone) : window,
    accounts > 1n ? `${accounts}, this is the fullest` : String(accounts),
    [soft ? "soft" : "", stateText(account, freeze, soft)].filter(Boolean).join(", "),
  ];
}

async function listBudgets(cli: Cli, json: boolean): Promise<void> {
  const { budget: client } = cli.clients();
  const budgets = await everyItem(
    (page) => client.listBudgets(page),
    (page) => page.budgets,
    { io: cli.io, what: "budgets" },
  );
  if (json) return printJson(cli.io, toJson(ListBudgetsResponseSchema, create(ListBudgetsResponseSchema, { budgets })));
  if (budgets.length === 0) {
    return cli.io.err("no budget is declared: write a document of kind Budget, and `remit apply` it");
  }
  const titles = ["NAME", "LIMIT", "SPENT", "HELD", "FREE", "USED", "RESETS", "ACCOUNTS", "STATE"];
  for (const line of table(columns(titles), budgets.map(budgetRow))) cli.io.out(line);
  cli.io.err(paintFor(cli.io).dim("# is used of the limit, | is where the window is now"));
}

function accountRow(account: BudgetAccount, timeZone: string, soft: boolean): string[] {
  const { accountId, unit, limit, ownLimit, spent, held, free, closesAt } = account;
  return [
    ...[accountId, keyText(account), `${limit} ${unit}${ownLimit ? " (own)" : ""}`, spent, held, free],
    `${burnBar(account)} ${percentText(account.limitUsedBasisPoints).padStart(4)}`,
    closesAt ? zonedText(closesAt, timeZone) : "never",
    stateText(account, undefined, soft),
  ];
}

/** From where on an account is out of the ordinary. */
const aboveText = ({ alarm, alarmOffAt }: BudgetAccount) => (alarmOffAt ? "reset" : alarm && `above ${alarm}`);

const ACCOUNT_TITLES = ["ACCOUNT", "OF", "LIMIT", "SPENT", "HELD", "FREE", "USED", "RESETS", "STATE"];

function printAccounts(cli: Cli, accounts: readonly BudgetAccount[], budget: Budget | undefined): void {
  const watched = budget?.anomaly !== undefined;
  const rows = accounts.map((one) => [
    ...accountRow(one, budget?.timeZone ?? "", budget?.enforcement === "soft"),
    ...(watched ? [aboveText(one)] : []),
  ]);
  const titles = watched ? [...ACCOUNT_TITLES, "UNUSUAL"] : ACCOUNT_TITLES;
  for (const line of table(columns(titles), rows)) cli.io.out(line);
}

async function showBudget(cli: Cli, name: string, json: boolean): Promise<void> {
  const answer = await cli.clients().budget.getBudget({ name });
  if (json) return printJson(cli.io, toJson(GetBudgetResponseSchema, answer));
  const { io } = cli;
  const { budget, accounts } = answer;
  if (!budget) return;
  io.out(`budget    ${budget.name}: ${declarationText(budget)}`);
  if (budget.per.length > 0) io.out(`kept per  ${budget.per.join(", ")}`);
  if (budget.freeze) io.out(`          ${freezeText(budget.freeze)}`);
  const [only] = accounts;
  if (!only) return io.out("          nothing was charged in its current window");
  if (accounts.length === 1 && budget.accounts <= 1n) {
    if (only.key !== "" || only.sessionId !== "") io.out(`account   ${only.accountId}: ${keyText(only)}`);
    for (const line of accountLines(only, budget.timeZone, budget.anomaly)) io.out(line);
    return;
  }
  io.out(`accounts  ${budget.accounts} in its current windows, the fullest first`);
  io.out("");
  printAccounts(cli, accounts, budget);
  if (answer.nextPageToken !== "") io.err(`and more: remit budgets accounts ${name} --all`);
}

interface AccountFlags extends JsonFlag {
  key?: string;
  used?: string;
  session?: string;
  all?: boolean;
}

function usedFrom(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^[0-9]{1,4}%?$/.test(text)) return Number.parseInt(text, 10) * 100;
  throw usage(`--used takes percents such as 80, got ${JSON.stringify(text)}`);
}

async function listAccounts(cli: Cli, name: string | undefined, flags: AccountFlags): Promise<void> {
  const { budget: client } = cli.clients();
  const { key: keyPrefix = "", session: sessionId = "", all = false } = flags;
  const asked = { budget: name ?? "", keyPrefix, sessionId, usedBasisPointsMin: usedFrom(flags.used) };
  const budget = name === undefined ? undefined : (await client.getBudget({ name, pageSize: 1 })).budget;
  const accounts: BudgetAccount[] = [];
  let nextPageToken = "";
  for await (const page of pagesOf(({ pageToken }) => client.listAccounts({ ...asked, pageToken }))) {
    accounts.push(...page.accounts);
    nextPageToken = page.nextPageToken;
    cli.io.progress(nextPageToken === "" ? "" : `${accounts.length} accounts`);
    if (!all) break;
  }
  if (flags.json) {
    const answer = { accounts, nextPageToken, $typeName: "remit.v1.ListAccountsResponse" as const };
    return printJson(cli.io, toJson(ListAccountsResponseSchema, answer));
  }
  if (accounts.length === 0) return cli.io.err("no account of a current window is like that");
  printAccounts(cli, accounts, budget);
  if (nextPageToken !== "") cli.io.err("and more: add --all");
}

/** `remit budgets`. */
export function addBudgets(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const budgets = program.command("budgets").description("what is spent, held and free of budgets; their limits");
  const listed = budgets
    .command("list")
    .description("every declared budget, and how it stands in its current window")
    .option("--json", "for machines")
    .action((flags: JsonFlag) => listBudgets(cli, flags.json ?? false));
  examples(listed, [["declare budgets with `remit apply`, then", "remit budgets list"]]);
  const shown = budgets
    .command("show <budget>")
    .description("one budget with its accounts; takes the role viewer or operator")
    .option("--json", "for machines")
    .action((name: string, flags: JsonFlag) => showBudget(cli, name, flags.json ?? false));
  examples(shown, [["what is left of it, and how long it lasts", "remit budgets show refunds"]]);
  const accounts = budgets
    .command("accounts [budget]")
    .description("accounts of its current windows, the fullest first; without a budget those of delegations")
    .option("--key <prefix>", "those of which one value of the key begins so")
    .option("--used <percent>", "those of whose limit at least so much is used")
    .option("--session <id>", "the one of this session")
    .option("--all", "every page")
    .option("--json", "for machines")
    .action((name: string | undefined, flags: AccountFlags) => listAccounts(cli, name, flags));
  examples(accounts, [
    ["whose refunds are nearly used up?", "remit budgets accounts refunds --used 80"],
    ["one customer's", "remit budgets accounts refunds --key customer-17"],
  ]);
  addBudgetLimits(budgets, cli);
  const verified = budgets
    .command("verify")
    .description("add up what every record did to the accounts and compare; ends with 1 where something differs")
    .option("--json", "for machines")
    .action(async (flags: JsonFlag) => ended((await verifyBudgets(cli, flags)) ? exitCodes.ok : exitCodes.no));
  examples(verified, [["the books, against the ledger", "remit budgets verify"]]);
}
