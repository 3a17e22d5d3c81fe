import { create, toJson } from "@bufbuild/protobuf";
import { ListAgentsResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { labelText } from "../label-text.ts";
import { everyItem } from "../pages.ts";
import { table } from "../table.ts";

async function listAgents(cli: Cli, json: boolean): Promise<void> {
  const { agent: client } = cli.clients();
  const progress = { io: cli.io, what: "agents" };
  const agents = await everyItem(
    (page) => client.listAgents(page),
    (page) => page.agents,
    progress,
  );
  if (json) return printJson(cli.io, toJson(ListAgentsResponseSchema, create(ListAgentsResponseSchema, { agents })));
  const rows = agents.map((agent) => [
    agent.name,
    agent.status,
    agent.mode,
    agent.owner,
    labelText(agent.labels),
    agent.ceiling?.tools.join(",") || "none",
  ]);
  const titles = ["NAME", "STATUS", "MODE", "OWNER", "LABELS", "MAY CALL"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

/** `remit agents`. */
export function addAgents(program: Command, cli: Cli): void {
  const agents = program
    .command("agents")
    .description("registered agents")
    .command("list")
    .description("every registered agent with the tools it may ever call")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listAgents(cli, options.json ?? false));
  examples(agents, [["register agents with `remit apply`, then", "remit agents list"]]);
}
