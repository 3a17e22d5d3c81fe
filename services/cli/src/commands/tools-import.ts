import type { Command } from "commander";
import { collect, pairs, seconds } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { commandWords } from "../tools-import/command-words.ts";
import { type Compared, compareTools } from "../tools-import/compare.ts";
import { importLines, summarize, summaryLines } from "../tools-import/import-text.ts";
import type { Offer } from "../tools-import/offered-tool.ts";
import { type Drafted, draftTools } from "../tools-import/tool-document.ts";
import { type Written, writeDocuments } from "../tools-import/write-documents.ts";

interface ImportFlags {
  out?: string;
  overwrite?: boolean;
  diff?: boolean;
  prefix?: string;
  timeout: string;
  json?: boolean;
}

interface McpFlags extends ImportFlags {
  command?: string;
  url?: string;
  env?: string[];
  header?: string[];
  bearerEnv?: string;
}

async function draft({ source, tools, notes }: Offer, prefix: string): Promise<Drafted[]> {
  const { parseDocuments, schemaProblem } = await loadEngine();
  const { schemaDigest } = await import("@remit/sdk");
  const drafted = draftTools({ source, tools, notes }, { prefix, judge: schemaProblem, digest: schemaDigest });
  for (const { file, text } of drafted) {
    const [problem] = parseDocuments([{ file, text }]).problems;
    if (problem)
      throw new Error(`the document of a tool does not compile: ${file}:${problem.line}: ${problem.message}`);
  }
  return drafted;
}

async function compareWithRegistered(cli: Cli, offer: Offer, drafted: readonly Drafted[]): Promise<Compared> {
  const { tool: client } = cli.clients();
  const tools = await everyItem(
    (page) => client.listTools(page),
    (page) => page.tools,
  );
  return compareTools(drafted, tools, offer.source.server);
}

interface Imported {
  readonly offer: Offer;
  readonly drafted: readonly Drafted[];
  readonly compared: Compared | undefined;
  readonly files: Written | undefined;
}

function printAll(cli: Cli, { offer, drafted, compared, files }: Imported): void {
  const { io } = cli;
  for (const note of offer.notes) io.err(`warning: ${note}`);
  if (drafted.length > 0) for (const line of importLines(drafted, compared, paintFor(io))) io.out(line);
  io.out("");
  for (const line of summaryLines(summarize(drafted), offer.source)) io.out(line);
  if (files) {
    io.out(
      `${files.written.length} documents written${files.written.length > 0 ? "; review them, then `remit apply`" : ""}.`,
    );
    if (files.kept.length > 0)
      io.out(`${files.kept.length} files were there already and are kept; --overwrite replaces them.`);
  }
}

function printMachine(cli: Cli, { offer, drafted, compared, files }: Imported): void {
  const tools = drafted.map(({ name, offeredName, file, guess, offeredDigest }) => ({
    name,
    offeredName,
    risk: guess.risk,
    why: guess.why,
    poison: guess.poison,
    doubts: guess.doubts,
    schemaDigest: offeredDigest,
    ...(compared && { since: compared.states.get(name) }),
    file,
  }));
  const { source, notes } = offer;
  printJson(cli.io, {
    source,
    tools,
    ...(compared && { gone: compared.gone }),
    summary: summarize(drafted),
    notes,
    ...files,
  });
}

async function finish(cli: Cli, offer: Offer, flags: ImportFlags): Promise<ExitCode> {
  const drafted = await draft(offer, flags.prefix ?? "");
  const compared = flags.diff ? await compareWithRegistered(cli, offer, drafted) : undefined;
  const files =
    flags.out === undefined ? undefined : await writeDocuments(flags.out, drafted, flags.overwrite ?? false);
  const imported = { offer, drafted, compared, files };
  if (flags.json) printMachine(cli, imported);
  else printAll(cli, imported);
  if (!compared) return exitCodes.ok;
  const unchanged = compared.gone.length === 0 && [...compared.states.values()].every((state) => state === "same");
  return unchanged ? exitCodes.ok : exitCodes.no;
}

async function importMcp(cli: Cli, args: readonly string[], flags: McpFlags): Promise<ExitCode> {
  const { command, url } = flags;
  const timeoutMs = seconds(flags.timeout, "--timeout") * 1000;
  if ((command === undefined) === (url === undefined)) {
    throw usage(
      "name the MCP server by --command or by --url",
      'remit tools import mcp --command "npx -y some-server"',
    );
  }
  const { readHttpServer, readStdioServer } = await import("../tools-import/mcp.ts");
  if (command !== undefined) {
    const [program = "", ...words] = commandWords(command);
    const server = { command: program, args: [...words, ...args], env: pairs(flags.env, "--env") };
    return finish(cli, await readStdioServer(server, timeoutMs), flags);
  }
  if (!URL.canParse(url ?? "") || !/^https?:/i.test(url ?? ""))
    throw usage(`--url is not a URL: ${JSON.stringify(url)}`);
  const server = { url: new URL(url ?? ""), headers: headersOf(cli, flags) };
  return finish(cli, await readHttpServer(server, timeoutMs), flags);
}

function headersOf(cli: Cli, { header, bearerEnv }: McpFlags): Record<string, string> {
  const headers = pairs(header, "--header");
  if (bearerEnv === undefined) return headers;
  const token = cli.io.env[bearerEnv] ?? "";
  if (token === "") throw usage(`--bearer-env: the variable ${bearerEnv} is not set`);
  return { ...headers, authorization: `Bearer ${token}` };
}

async function importOpenApi(cli: Cli, place: string, flags: ImportFlags): Promise<ExitCode> {
  const timeoutMs = seconds(flags.timeout, "--timeout") * 1000;
  const { readOpenApi } = await import("../tools-import/openapi-file.ts");
  return finish(cli, await readOpenApi(place, timeoutMs), flags);
}

function withImportOptions(command: Command): Command {
  return command
    .option("--out <dir>", "write one Tool document a tool, to edit and then `remit apply`")
    .option("--overwrite", "replace documents that are there already")
    .option("--diff", "compare with what is registered; ends with 1 when something is new, gone or changed")
    .option("--prefix <text>", "put before every name, e.g. files.")
    .option("--timeout <duration>", "for the whole reading", "60s")
    .option("--json", "for machines");
}

/** `remit tools import`: which of these tools is safe to hand an agent? */
export function addToolsImport(tools: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const parent = tools
    .command("import")
    .description("which of a server's tools are safe to hand an agent? A guess, and Tool documents to edit");
  const mcp = withImportOptions(
    parent
      .command("mcp [args...]")
      .description("read an MCP server over stdio or Streamable HTTP; no tool of it is called")
      .option("--command <line>", "the command that starts it; more arguments after --")
      .option("--env <name=value>", "a variable for it, which gets few others; several times", collect)
      .option("--url <url>", "where it listens")
      .option("--header <name=value>", "sent with every request; several times", collect)
      .option("--bearer-env <variable>", "send the token that this variable holds"),
  ).action(async (args: string[], flags: McpFlags) => ended(await importMcp(cli, args, flags)));
  examples(mcp, [
    ["look, write nothing", 'remit tools import mcp --command "npx -y @modelcontextprotocol/server-filesystem /tmp"'],
    ["documents to edit", "remit tools import mcp --url http://127.0.0.1:3000/mcp --out tools/"],
    ["has the server changed since?", "remit tools import mcp --url http://127.0.0.1:3000/mcp --diff"],
  ]);
  const openapi = withImportOptions(
    parent
      .command("openapi <file-or-url>")
      .description("read the operations of an OpenAPI (3.x) or Swagger (2.0) document, in YAML or JSON"),
  ).action(async (place: string, flags: ImportFlags) => ended(await importOpenApi(cli, place, flags)));
  examples(openapi, [
    ["look, write nothing", "remit tools import openapi api.yaml"],
    [
      "documents to edit",
      "remit tools import openapi https://petstore.example/openapi.json --prefix shop. --out tools/",
    ],
  ]);
}
