import { create, toJson } from "@bufbuild/protobuf";
import { GetToolResponseSchema, ListToolsResponseSchema } from "@remit/proto/admin";
import { Risk } from "@remit/proto/common";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { labelText } from "../label-text.ts";
import { everyItem } from "../pages.ts";
import type { ExitCode } from "../stop.ts";
import { table } from "../table.ts";
import { addToolsImport } from "./tools-import.ts";

const riskWords = new Map<Risk, string>([
  [Risk.UNCLASSIFIED, "unclassified"],
  [Risk.READ, "read"],
  [Risk.WRITE, "write"],
  [Risk.DESTRUCTIVE, "destructive"],
]);

async function list(cli: Cli, json: boolean): Promise<void> {
  const { tool: client } = cli.clients();
  const progress = { io: cli.io, what: "tools" };
  const tools = await everyItem(
    (page) => client.listTools(page),
    (page) => page.tools,
    progress,
  );
  if (json) return printJson(cli.io, toJson(ListToolsResponseSchema, create(ListToolsResponseSchema, { tools })));
  const rows = tools.map((tool) => [
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

async function show(cli: Cli, name: string, json: boolean): Promise<void> {
  const answer = await cli.clients().tool.getTool({ name });
  if (json) return printJson(cli.io, toJson(GetToolResponseSchema, answer));
  const { stringify } = await import("yaml");
  cli.io.out(`# input schema ${answer.tool?.schemaDigest || "none"}`);
  cli.io.out(stringify(JSON.parse(answer.document), { lineWidth: 120, aliasDuplicateObjects: false }).trimEnd());
}

/** `remit tools`. */
export function addTools(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const tools = program.command("tools").description("registered tools");
  const listing = tools
    .command("list")
    .description("every registered tool with its risk and the digest of its schema")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => list(cli, options.json ?? false));
  examples(listing, [["register tools with `remit apply`, then", "remit tools list"]]);
  const showing = tools
    .command("show <name>")
    .description("one registered tool as the document that registers it")
    .option("--json", "for machines")
    .action((name: string, options: { json?: boolean }) => show(cli, name, options.json ?? false));
  examples(showing, [
    [
      "edit a tool",
      "remit tools show payments.transfer > transfer.yaml; vi transfer.yaml; remit apply -f transfer.yaml",
    ],
  ]);
  addToolsImport(tools, cli, ended);
}
