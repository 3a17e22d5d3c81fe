import { toJson } from "@bufbuild/protobuf";
import { ListAgentsResponseSchema, ListToolsResponseSchema } from "@remit/proto/admin";
import { Risk } from "@remit/proto/common";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { table } from "../table.ts";

const riskWords = new Map<Risk, string>([
  [Risk.UNCLASSIFIED, "unclassified"],
  [Risk.READ, "read"],
  [Risk.WRITE, "write"],
  [Risk.DESTRUCTIVE, "destructive"],
]);

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

async function listTools(cli: Cli, json: boolean): Promise<void> {
  const answer = await cli.clients().tool.listTools({});
  if (json) return printJson(cli.io, toJson(ListToolsResponseSchema, answer));
  const rows = answer.tools.map((tool) => [
    tool.name,
    riskWords.get(tool.risk) ?? "unknown",
    tool.mode,
    tool.server,
    labelText(tool.labels),
    tool.schemaDigest.slice(0, "sha256:".length + 12),
    tool.description,
  ]);
  const titles = ["NAME", "RISK", "MODE", "SERVER", "LABELS", "SCHEMA", "DESCRIPTION"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

async function listAgents(cli: Cli, json: boolean): Promise<void> {
  const answer = await cli.clients().agent.listAgents({});
  if (json) return printJson(cli.io, toJson(ListAgentsResponseSchema, answer));
  const rows = answer.agents.map((agent) => [
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

/** `remit tools list` and `remit agents list`. */
export function addLists(program: Command, cli: Cli): void {
  const tools = program
    .command("tools")
    .description("registered tools")
    .command("list")
    .description("every registered tool with its risk and the digest of its schema")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listTools(cli, options.json ?? false));
  examples(tools, [["register tools with `remit apply`, then", "remit tools list"]]);
  const agents = program
    .command("agents")
    .description("registered agents")
    .command("list")
    .description("every registered agent with the tools it may ever call")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listAgents(cli, options.json ?? false));
  examples(agents, [["register agents with `remit apply`, then", "remit agents list"]]);
}
