import { create, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { HoldEnd, ListHoldsResponseSchema, type OpenHold, ResolveHoldResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { seconds } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { pagesOf } from "../pages.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { spelledOut } from "../tools-import/plain-text.ts";

interface ListFlags {
  budget?: string;
  session?: string;
  agent?: string;
  pending?: boolean;
  running?: boolean;
  olderThan?: string;
  all?: boolean;
  json?: boolean;
}

interface ResolveFlags {
  spent?: boolean;
  released?: boolean;
  reason: string;
  json?: boolean;
}

const timeText = (time: Timestamp | undefined) => (time ? timestampDate(time).toISOString() : "");

function amountsText({ amounts }: OpenHold): string {
  return amounts.map(({ amount, unit, budget }) => `${amount} ${unit} of ${budget || "a delegation"}`).join(", ");
}

function pendingOf({ pending = false, running = false }: ListFlags): boolean | undefined {
  if (pending && running) throw usage("--pending and --running leave nothing", "give one of them, or neither");
  return pending ? true : running ? false : undefined;
}

async function list(cli: Cli, flags: ListFlags): Promise<void> {
  const pending = pendingOf(flags);
  const { budget = "", session: sessionId = "", agent = "", olderThan, all = false } = flags;
  const age = olderThan === undefined ? {} : { olderThan: { seconds: BigInt(seconds(olderThan, "--older-than")) } };
  const asked = { budget, sessionId, agent, ...(pending !== undefined && { pending }), ...age };
  const holds: OpenHold[] = [];
  const { budget: client } = cli.clients();
  let next = "";
  for await (const page of pagesOf(({ pageToken }) => client.listHolds({ ...asked, pageToken }))) {
    holds.push(...page.holds);
    next = page.nextPageToken;
    cli.io.progress(next === "" ? "" : `${holds.length} holds`);
    if (!all) break;
  }
  if (flags.json) {
    const answer = create(ListHoldsResponseSchema, { holds, nextPageToken: next });
    return printJson(cli.io, toJson(ListHoldsResponseSchema, answer));
  }
  if (holds.length === 0) return cli.io.err("nothing is held");
  const rows = holds.map((one) => [
    one.holdId,
    one.tool,
    spelledOut(one.agent),
    one.sessionId,
    amountsText(one),
    timeText(one.since),
    timeText(one.until),
    one.pending ? "waits for an approval" : "",
  ]);
  const titles = ["HOLD", "TOOL", "AGENT", "SESSION", "HOLDS", "SINCE", "UNTIL", "STATE"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
  if (next !== "") cli.io.err("and more: add --all");
}

async function resolve(cli: Cli, holdId: string, { spent, released, reason, json }: ResolveFlags): Promise<void> {
  if (spent === released) throw usage("say what became of it", "--spent or --released");
  const as = spent ? HoldEnd.SPENT : HoldEnd.RELEASED;
  const answer = await cli.clients().budget.resolveHold({ holdId, as, reason });
  if (json) return printJson(cli.io, toJson(ResolveHoldResponseSchema, answer));
  const amounts = answer.hold ? amountsText(answer.hold) : "";
  cli.io.out(`resolved ${holdId} as ${spent ? "spent" : "released"}: ${amounts}`);
  cli.io.out("a report that comes later corrects it");
}

/** `remit holds`. */
export function addHolds(program: Command, cli: Cli): void {
  const holds = program.command("holds").description("what calls hold of budgets until they are reported on");
  const listed = holds
    .command("list")
    .description("what is held now, the oldest first; takes the role viewer or operator")
    .option("--budget <name>", "of this budget")
    .option("--session <id>", "of this session")
    .option("--agent <name>", "of this agent")
    .option("--pending", "of calls that wait for an approval")
    .option("--running", "of others")
    .option("--older-than <duration>", "at least so old, such as 10m")
    .option("--all", "every page")
    .option("--json", "for machines")
    .action((flags: ListFlags) => list(cli, flags));
  examples(listed, [["whose report is missing?", "remit holds list --running --older-than 10m"]]);
  const resolved = holds
    .command("resolve <hold>")
    .description(
      "end a hold that nobody reports on; takes the role operator, releasing others where the tenant says so",
    )
    .option("--spent", "all of it was spent")
    .option("--released", "nothing of it was spent")
    .requiredOption("--reason <text>", "why, for those who look at it later; no agent is told")
    .option("--json", "for machines")
    .action((id: string, flags: ResolveFlags) => resolve(cli, id, flags));
  examples(resolved, [
    [
      "the tool says that nothing ran",
      'remit holds resolve 019a4f3e-... --released --reason "the bank has no such transfer"',
    ],
  ]);
}
