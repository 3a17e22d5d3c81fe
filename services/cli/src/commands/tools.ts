import { toJson } from "@bufbuild/protobuf";
import { ListToolsResponseSchema } from "@remit/proto/admin";
import { Risk } from "@remit/proto/common";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { labelText } from "../label-text.ts";
import { table } from "../table.ts";

const riskWords = new Map<Risk, string>([
  [Risk.UNCLASSIFIED, "unclassified"],
  [Risk.READ, "read"],
  [Risk.WRITE, "write"],
  [Risk.DESTRUCTIVE, "destructive"],
]);

async function list(cli: Cli, json: boolean): Promise<void> {
  const answer = await cli.clients().tool.listTools({});
  if (json) return printJson(cli.io, toJson(ListToolsResponseSchema, answer));
  const rows = answer.tools.map((tool) => [
    tool.name,
    riskWords.get(tool.risk) ?? "unknown",
    tool.status,
    tool.mode,
    tool.server,
    labelText(tool.labels),
    tool.schemaDigest.slice(0, "sha256:".length + 12),
    tool.description,
  ]);
  const titles = ["NAME", "RISK", "STATUS", "MODE", "SERVER", "LABELS", "SCHEMA", "DESCRIPTION"];
  const columns = titles.map((title) => ({ title }));
  for (const line of table(columns, rows)) cli.io.out(line);
}

/** `remit tools`. */
export function addTools(program: Command, cli: Cli): void {
  const tools = program.command("tools").description("registered tools");
  const listing = tools
    .command("list")
    .description("every registered tool with its risk and the digest of its schema")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => list(cli, options.json ?? false));
  examples(listing, [["register tools with `remit apply`, then", "remit tools list"]]);
}
