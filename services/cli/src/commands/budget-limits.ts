import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type BudgetAccount,
  FreezeBudgetResponseSchema,
  type LowerBudgetResponse,
  LowerBudgetResponseSchema,
  RaiseBudgetResponseSchema,
  UnfreezeBudgetResponseSchema,
} from "@remit/proto/admin";
import type { Command } from "commander";
import { freezeText, keyText, zonedText } from "../budget-text.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";

interface TargetFlags {
  account?: string;
  reason: string;
  json?: boolean;
}

interface LimitFlags extends TargetFlags {
  to?: string;
  own?: string;
  expect?: string;
}

interface Target {
  readonly budget: string;
  readonly accountId: string;
  /** For people. */
  readonly words: string;
}

function targetOf(budget: string | undefined, { account }: TargetFlags): Target {
  if (budget !== undefined && account === undefined) return { budget, accountId: "", words: budget };
  if (budget === undefined && account !== undefined)
    return { budget: "", accountId: account, words: `account ${account}` };
  throw usage("say which: a budget by its name, or --account for one account alone");
}

/** `500`, or `500 EUR` for who wants the unit checked. */
function limitOf(to: string) {
  const [value = "", unit = "", ...more] = to.trim().split(/\s+/);
  if (more.length > 0) throw usage(`--to takes a decimal, with its unit or without, got ${JSON.stringify(to)}`);
  return { value, unit };
}

function request(budget: string | undefined, flags: LimitFlags) {
  const { budget: name, accountId, words } = targetOf(budget, flags);
  const { to, own, reason, expect = "" } = flags;
  if ((to === undefined) === (own === undefined)) throw usage("say --to LIMIT, or --own none: one of the two");
  if (own !== undefined && own !== "none") throw usage(`--own takes none, got ${JSON.stringify(own)}`);
  const wanted = to === undefined ? { clearOwn: true } : { limit: limitOf(to) };
  return { asked: { budget: name, accountId, reason, expected: expect, ...wanted }, words };
}

/** What the limit is now: what was asked for, or the budget's again. */
function limitNow(asked: ReturnType<typeof request>["asked"], account: BudgetAccount | undefined): string {
  return "limit" in asked ? asked.limit.value : `the budget's ${account?.limit ?? ""}`;
}

/** That an account refuses calls whatever is free of it; nothing where it is not frozen. */
function frozenLines(account: BudgetAccount | undefined): string[] {
  if (!account?.freeze) return [];
  const { accountId, freeze } = account;
  const which = account.key === "" ? accountId : `${accountId} (${keyText(account)})`;
  return [
    `account ${which} is ${freezeText(freeze)}`,
    `  its calls are refused until it is thawed: remit budgets unfreeze --account ${accountId}`,
  ];
}

async function raise(cli: Cli, budget: string | undefined, flags: LimitFlags): Promise<void> {
  const { asked, words } = request(budget, flags);
  const answer = await cli.clients().budget.raiseBudget(asked);
  if (flags.json) return printJson(cli.io, toJson(RaiseBudgetResponseSchema, answer));
  const { before, account } = answer;
  cli.io.out(`raised ${words} from ${before?.value} to ${limitNow(asked, account)} ${before?.unit}`);
  if (account) cli.io.out(`free now  ${account.free} ${account.unit}`);
  for (const line of frozenLines(account)) cli.io.out(line);
  cli.io.out(`revision  ${answer.revision}`);
}

function overLines({ over, accountsOver, refusedSince }: LowerBudgetResponse): string[] {
  if (accountsOver === 0n) return [];
  const first = over.map((one) => {
    const until = one.closesAt ? `, until its window closes at ${zonedText(one.closesAt, "")}` : "";
    const which = one.key === "" ? one.accountId : `${one.accountId} (${keyText(one)})`;
    return `  account ${which}: over by ${one.over} ${one.unit}${until}, or until enough is given back`;
  });
  const more = accountsOver - BigInt(over.length);
  const since = refusedSince
    ? `new calls are refused since ${timestampDate(refusedSince).toISOString()}`
    : "it is soft: nothing is refused";
  return [
    `${accountsOver === 1n ? "1 account is" : `${accountsOver} accounts are`} over the new limit; ${since}`,
    ...first,
    ...(more > 0n ? [`  and ${more} more`] : []),
    "  what holds already may go on; nothing that was spent is taken back",
  ];
}

async function lower(cli: Cli, budget: string | undefined, flags: LimitFlags): Promise<void> {
  const { asked, words } = request(budget, flags);
  const answer = await cli.clients().budget.lowerBudget(asked);
  if (flags.json) return printJson(cli.io, toJson(LowerBudgetResponseSchema, answer));
  const { before, account } = answer;
  cli.io.out(`lowered ${words} from ${before?.value} to ${limitNow(asked, account)} ${before?.unit}`);
  for (const line of overLines(answer)) cli.io.out(line);
  cli.io.out(`revision  ${answer.revision}`);
}

async function freeze(cli: Cli, budget: string | undefined, flags: TargetFlags): Promise<void> {
  const { words, ...of } = targetOf(budget, flags);
  const answer = await cli.clients().budget.freezeBudget({ ...of, reason: flags.reason });
  if (flags.json) return printJson(cli.io, toJson(FreezeBudgetResponseSchema, answer));
  const text = freezeText(answer.freeze);
  cli.io.out(
    answer.frozen ? `froze ${words}: its calls are refused from now on` : `${words} was frozen before: ${text}`,
  );
  cli.io.out(`revision  ${answer.revision}`);
}

async function unfreeze(cli: Cli, budget: string | undefined, flags: TargetFlags): Promise<void> {
  const { words, ...of } = targetOf(budget, flags);
  const answer = await cli.clients().budget.unfreezeBudget({ ...of, reason: flags.reason });
  if (flags.json) return printJson(cli.io, toJson(UnfreezeBudgetResponseSchema, answer));
  cli.io.out(answer.unfrozen ? `unfroze ${words}; it was ${freezeText(answer.freeze)}` : `${words} was not frozen`);
  // A call that spent too much freezes an account and not its budget, of which it may be the only one.
  const { accounts } = of.budget === "" ? { accounts: [] } : await cli.clients().budget.getBudget({ name: of.budget });
  for (const line of accounts.flatMap(frozenLines)) cli.io.out(line);
  cli.io.out(`revision  ${answer.revision}`);
}

const reasonWords = "why, for those who look at it later; no agent is told";

const about = (command: Command, account: string) =>
  command
    .option("--account <number>", account)
    .requiredOption("--reason <text>", reasonWords)
    .option("--json", "for machines");

const limited = (command: Command) =>
  about(command, "one account alone, by its number, until its window closes")
    .option("--to <limit>", 'the new limit, such as 500, or "500 EUR" to have the unit checked')
    .option("--own <none>", "instead, of one account: takes its own limit away, and the budget's binds it again")
    .option("--expect <limit>", "refuse when the limit is another than this by now");

/** `remit budgets raise|lower|freeze|unfreeze`. */
export function addBudgetLimits(budgets: Command, cli: Cli): void {
  const raised = limited(budgets.command("raise [budget]"))
    .description("a higher limit, at once and everywhere; takes the role operator, and others where the tenant says so")
    .action((budget: string | undefined, flags: LimitFlags) => raise(cli, budget, flags));
  examples(raised, [
    [
      "the whole budget: its declaration has this limit from then on",
      'remit budgets raise refunds --to 500 --reason "sale"',
    ],
    ["one customer, for this window", 'remit budgets raise --account 17 --to 80 --reason "ticket 4711"'],
    [
      "the budget's limit again, for one that had less",
      'remit budgets raise --account 17 --own none --reason "looked at"',
    ],
  ]);
  const lowered = limited(budgets.command("lower [budget]"))
    .description("a lower limit, at once and everywhere, also below what is spent; takes the role operator")
    .action((budget: string | undefined, flags: LimitFlags) => lower(cli, budget, flags));
  examples(lowered, [["nothing more today", 'remit budgets lower refunds --to 0 --reason "INC-7"']]);
  const frozen = about(budgets.command("freeze [budget]"), "one account alone, by its number")
    .description("refuse every call that it is charged for; takes the role operator")
    .action((budget: string | undefined, flags: TargetFlags) => freeze(cli, budget, flags));
  examples(frozen, [["until somebody has looked", 'remit budgets freeze refunds --reason "INC-7"']]);
  const thawed = about(budgets.command("unfreeze [budget]"), "one account alone, by its number")
    .description("let calls be charged again; takes the role operator, and others where the tenant says so")
    .action((budget: string | undefined, flags: TargetFlags) => unfreeze(cli, budget, flags));
  examples(thawed, [["it was looked at", 'remit budgets unfreeze refunds --reason "INC-7 is mended"']]);
}
