import type { Client } from "@modelcontextprotocol/client";
import type { JsonObject } from "@remit/engine";
import { exitCodes, Stop } from "../stop.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { Claims, Offer, OfferedTool } from "./offered-tool.ts";
import { oneLine } from "./plain-text.ts";
import { textsOf } from "./schema-arguments.ts";
import { serverName } from "./tool-names.ts";

const toolsMax = 2_000;
const pagesMax = 64;
const answerBytesMax = 32 * 1024 * 1024;
const stderrCharsMax = 8_000;
const stderrLinesMax = 12;
const probeTimeoutMs = 5_000;

export interface StdioServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpServer {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

type OfferedByMcp = Awaited<ReturnType<Client["listTools"]>>["tools"][number];

type Greeting = "legacy" | "auto";

/** How a stdio server is greeted: as before 2026, and the new way where it refuses that. One process at a time. */
const greetings: readonly Greeting[] = ["legacy", "auto"];

/**
 * Starts an MCP server, asks for its tools and ends it. It gets the few variables that a program needs (PATH, HOME ...)
 * and what `env` adds; nothing else of this process's environment.
 */
export async function readStdioServer(server: StdioServer, timeoutMs: number): Promise<Offer> {
  const { ProtocolError } = await import("@modelcontextprotocol/client");
  const deadlineMs = performance.now() + timeoutMs;
  let said = "";
  let failure: unknown;
  for (const greeting of greetings) {
    const transport = await startable(server, (text) => {
      said = (said + text).slice(-stderrCharsMax);
    });
    try {
      return await listTools(transport, Math.max(1, deadlineMs - performance.now()), "stdio", greeting);
    } catch (error) {
      failure = error;
      if (!(error instanceof ProtocolError)) break;
    }
  }
  const what = `the MCP server ${oneLine([server.command, ...server.args].join(" "))} gave no tools: ${reason(failure)}`;
  throw new Stop(
    exitCodes.unavailable,
    what + quoted(said),
    "run the command by hand, or allow more time with --timeout",
    failure,
  );
}

async function startable({ command, args, env }: StdioServer, heard: (text: string) => void) {
  const { getDefaultEnvironment } = await import("@modelcontextprotocol/client/stdio");
  const { OwnedStdio } = await import("./owned-stdio.ts");
  const transport = new OwnedStdio({
    command,
    args: [...args],
    env: { ...getDefaultEnvironment(), ...env },
    stderr: "pipe",
    maxBufferSize: answerBytesMax,
  });
  transport.stderr?.on("data", (chunk: Buffer) => heard(chunk.toString("utf8")));
  return transport;
}

/** The last lines that a server wrote to its error output. */
function quoted(said: string): string {
  const lines = said.split(/\r?\n/).map((line) => oneLine(line));
  const last = lines.filter((line) => line !== "").slice(-stderrLinesMax);
  return last.length === 0 ? "" : `\nit said:\n${last.map((line) => `  ${line}`).join("\n")}`;
}

/** Asks an MCP server over Streamable HTTP for its tools. */
export async function readHttpServer(server: HttpServer, timeoutMs: number): Promise<Offer> {
  const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const transport = new StreamableHTTPClientTransport(server.url, {
    requestInit: { headers: { ...server.headers } },
    fetch: boundedFetch(answerBytesMax),
  });
  try {
    return await listTools(transport, timeoutMs, "http", "auto");
  } catch (error) {
    const what = `the MCP server at ${server.url.href} gave no tools: ${reason(error)}`;
    const fix = "check the address; a server that wants to know who asks takes --header or --bearer-env";
    throw new Stop(exitCodes.unavailable, what, fix, error);
  }
}

async function listTools(
  transport: Parameters<Client["connect"]>[0],
  timeoutMs: number,
  lane: string,
  mode: Greeting,
): Promise<Offer> {
  const { Client: McpClient } = await import("@modelcontextprotocol/client");
  const client = new McpClient(
    { name: "remit-tools-import", version: "1" },
    { versionNegotiation: { mode, probe: { timeoutMs: probeTimeoutMs } }, listMaxPages: pagesMax },
  );
  const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
  const options = { signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs };
  try {
    await client.connect(transport, options);
    const { tools } = await client.listTools(undefined, options);
    const version = client.getServerVersion();
    const title = oneLine(`${version?.name ?? "an MCP server"} ${version?.version ?? ""}`, 120);
    const notes = tools.length > toolsMax ? [`more than ${toolsMax} tools; the others are not read`] : [];
    return {
      source: { kind: "mcp", title, server: serverName("mcp", version?.name ?? "") },
      tools: tools.slice(0, toolsMax).map((tool) => offered(tool, lane)),
      notes,
    };
  } finally {
    await client.close();
    await transport.close();
  }
}

function offered(tool: OfferedByMcp, lane: string): OfferedTool {
  const { name, title, description, inputSchema, outputSchema, annotations = {} } = tool;
  const { readOnlyHint, destructiveHint, openWorldHint } = annotations;
  const titles = [title, annotations.title].filter((text) => text !== undefined);
  const claims: Claims = {
    ...(readOnlyHint !== undefined && { readOnly: readOnlyHint }),
    ...(destructiveHint !== undefined && { destructive: destructiveHint }),
    ...(openWorldHint !== undefined && { openWorld: openWorldHint }),
  };
  return {
    name,
    description: description ?? titles[0] ?? "",
    otherTexts: [...titles, ...textsOf((outputSchema ?? {}) as JsonObject)],
    inputSchema: inputSchema as JsonObject,
    ...(Object.keys(claims).length > 0 && { claims }),
    labels: { transport: lane },
  };
}

const reason = (error: unknown): string => oneLine(error instanceof Error ? error.message : String(error), 400);
