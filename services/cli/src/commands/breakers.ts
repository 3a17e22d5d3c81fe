import { create, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Breaker, ListBreakersResponseSchema, ResetBreakerResponseSchema } from "@remit/proto/breaker";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { spelledOut } from "../tools-import/plain-text.ts";

interface ResetFlags {
  tool?: string;
  agent?: string;
  reason: string;
  json?: boolean;
}

const timeText = (time: Timestamp | undefined) => (time ? timestampDate(time).toISOString() : "");

const stateOf = ({ open, observed }: Breaker) => `${open ? "open" : "closed"}${observed ? ", observed" : ""}`;

async function list(cli: Cli, { all = false, json }: { all?: boolean; json?: boolean }): Promise<void> {
  const { breaker: client } = cli.clients();
  const breakers = await everyItem(
    ({ pageToken }) => client.listBreakers({ all, pageToken }),
    (page) => page.breakers,
  );
  if (json) {
    const answer = create(ListBreakersResponseSchema, { breakers });
    return printJson(cli.io, toJson(ListBreakersResponseSchema, answer));
  }
  if (breakers.length === 0) return cli.io.err(all ? "no breaker has tripped" : "no breaker is open");
  const rows = breakers.map((one) => [
    one.tool,
    one.budget === "" ? one.kind : `${one.kind} of ${one.budget}`,
    spelledOut(one.agent),
    one.sessionId,
    one.reach,
    timeText(one.since),
    timeText(one.until),
    stateOf(one),
    one.decisionId,
  ]);
  const titles = ["TOOL", "KIND", "AGENT", "SESSION", "COUNTED", "SINCE", "UNTIL", "STATE", "DECISION"];
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
  ))
    cli.io.out(line);
}

async function reset(cli: Cli, sessionId: string, { tool = "", agent = "", reason, json }: ResetFlags): Promise<void> {
  if ((sessionId === "") === (agent === "")) throw usage("name a session, or an agent with --agent");
  const answer = await cli.clients().breaker.resetBreaker({ sessionId, tool, agent, reason });
  if (json) return printJson(cli.io, toJson(ResetBreakerResponseSchema, answer));
  if (agent !== "") {
    cli.io.out(`reset: what ${agent} spends is not compared with what is usual until its windows of now end`);
    return cli.io.out("the limits of its budgets bind it as before");
  }
  cli.io.out(`reset: what was counted of ${tool || "every tool"} until ${timeText(answer.resetAt)} counts no more`);
  cli.io.out(`in all sessions under ${answer.runSessionId}`);
}

/** `remit breakers`. */
export function addBreakers(program: Command, cli: Cli): void {
  const breakers = program
    .command("breakers")
    .description("what is stopped because it went in a loop or came too fast");
  const listed = breakers
    .command("list")
    .description("which are open, the newest first; takes the role viewer or operator")
    .option("--all", "those too that are closed again and remembered, for an hour")
    .option("--json", "for machines")
    .action((flags: { all?: boolean; json?: boolean }) => list(cli, flags));
  examples(listed, [["by which counts did it trip?", "remit why 019a4f3e-... (the DECISION of the list)"]]);
  const done = breakers
    .command("reset [session]")
    .description(
      "set aside what was counted of a session's run, or spent by an agent, until now; takes the role operator",
    )
    .option("--tool <name>", "of this tool; else of every tool")
    .option("--agent <name>", "of what this agent spends, until its windows of now end; without a session")
    .requiredOption("--reason <text>", "why, for those who look at it later; no agent is told")
    .option("--json", "for machines")
    .action((session: string | undefined, flags: ResetFlags) => reset(cli, session ?? "", flags));
  examples(done, [
    [
      "the bank answers again",
      'remit breakers reset 019a4f3e-... --tool payments.transfer --reason "the bank is back"',
    ],
    ["the sale is why it spends that much", 'remit breakers reset --agent refunder --reason "the sale"'],
  ]);
}
