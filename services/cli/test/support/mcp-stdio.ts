import { appendFileSync } from "node:fs";
import process from "node:process";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { toyServer, toyTools } from "./mcp-server.ts";

// Run as a process of its own: an MCP server over standard input and output. It notes its id and its environment, so
// that a test can tell that it has ended and what it was told.
const [notes, ...words] = process.argv.slice(2);
if (notes !== undefined) appendFileSync(notes, `${JSON.stringify({ pid: process.pid, words, env: process.env })}\n`);
if (words.includes("fail")) {
  process.stderr.write("no licence file\u001b[31m found\n");
  process.exit(1);
}
serveStdio(() => toyServer(toyTools), { legacy: words.includes("modern") ? "reject" : "serve" });
