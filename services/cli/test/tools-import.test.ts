import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, openSession, startHouse } from "../../pdp/test/support/pdp.ts";
import { fakeIo } from "../src/fake-io.ts";
import { run } from "../src/run.ts";
import { fixtures, remit as remitProcess, temporaryDirectory } from "./remit.ts";
import { serveToyHttp, toyTools } from "./support/mcp-server.ts";

const toyStdio = fileURLToPath(new URL("./support/mcp-stdio.ts", import.meta.url));
const library = join(fixtures, "openapi", "library.yaml");
const kiosk = join(fixtures, "openapi", "kiosk.json");

let house: House;
let env: Record<string, string>;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  house = await startHouse();
  directory = await temporaryDirectory();
  const { grpcAddress, adminAddress } = house.pdp;
  env = { REMIT_ADDRESS: grpcAddress, REMIT_ADMIN_ADDRESS: adminAddress, REMIT_API_KEY: house.ownerKey };
});

afterAll(async () => {
  await house?.close();
  await directory?.[Symbol.asyncDispose]();
});

async function remit(args: readonly string[], more: Record<string, string> = {}) {
  const io = fakeIo({ env: { ...env, ...more } });
  const code = await run(io, args);
  return { code, stdout: io.outLines.join("\n"), stderr: io.errLines.join("\n") };
}

const at = (name: string) => join(directory.path, name);
const riskOf = (stdout: string, name: string) => new RegExp(`^${name} +(\\w+)`, "m").exec(stdout)?.[1];

/** The processes that the toy server was, by what each noted of itself. */
function noted(file: string): { pid: number; words: string[]; env: Record<string, string> }[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("an MCP server over stdio is read and ended, and its tools become documents that are accepted", async () => {
  const command = `"${process.execPath}" "${toyStdio}" "${at("notes")}"`;
  const out = at("toys");
  const args = ["tools", "import", "mcp", "--command", command, "--env", "TOKEN=t", "--out", out];
  const first = await remitProcess([...args, "--", "word"], { env });
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(toyTools.map(({ name }) => riskOf(first.stdout, name))).toEqual([
    ...["read", "read", "destructive", "write", "unclassified", "unclassified"],
  ]);
  expect(first.stdout).toContain(
    "2 of 6 tools of Toy Files 1.2.0 only read; 1 writes; 1 destroys; 2 are unclassified.",
  );
  expect(first.stdout).toMatch(/^get_weather +unclassified +LOOK: /m);
  expect(first.stdout).not.toMatch(/[^\n\P{Cc}]/u);

  const processes = noted(at("notes"));
  expect(processes).toHaveLength(1);
  for (const { pid, words, env: seen } of processes) {
    expect(words).toEqual(["word"]);
    expect(seen).toMatchObject({ TOKEN: "t" });
    expect(seen).not.toHaveProperty("REMIT_API_KEY");
    expect(isAlive(pid)).toBe(false);
  }

  expect(readdirSync(out).sort()).toEqual(toyTools.map(({ name }) => `${name}.tool.yaml`).sort());
  const applied = await remit(["apply", "-f", out]);
  expect(applied).toMatchObject({ code: 0, stderr: "" });
  const listed = await remit(["tools", "list"]);
  expect(listed.stdout).toMatch(/^get_weather +unclassified +suspended/m);
  expect(listed.stdout).toMatch(/^read_file +read +active/m);
});

test("a server that takes only the new greeting is asked once more, and both processes are ended", async () => {
  const command = `"${process.execPath}" "${toyStdio}" "${at("modern")}" modern`;
  const read = await remit(["tools", "import", "mcp", "--command", command]);
  expect(read).toMatchObject({ code: 0, stderr: "" });
  expect(riskOf(read.stdout, "delete_file")).toBe("destructive");
  const processes = noted(at("modern"));
  expect(processes).toHaveLength(2);
  expect(processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
});

test("what was edited is kept when it is imported again, unless it shall not be", async () => {
  const out = at("edited");
  const args = ["tools", "import", "openapi", library, "--out", out];
  expect((await remit(args)).stdout).toContain("4 documents written");
  await writeFile(join(out, "addBook.tool.yaml"), "# mine\n");
  const again = await remit(args);
  expect(again.stdout).toContain("4 files were there already and are kept");
  expect(readFileSync(join(out, "addBook.tool.yaml"), "utf8")).toBe("# mine\n");
  expect((await remit([...args, "--overwrite"])).stdout).toContain("4 documents written");
  expect(readFileSync(join(out, "addBook.tool.yaml"), "utf8")).toContain("kind: Tool");
});

test("an MCP server over HTTP is compared with what is registered", async () => {
  await using server = await serveToyHttp();
  const args = ["tools", "import", "mcp", "--url", server.url, "--header", "x-team=ops", "--bearer-env", "TOY_TOKEN"];
  const secret = { TOY_TOKEN: "s3cret" };
  const first = await remit([...args, "--prefix", "http.", "--out", at("http")], secret);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  for (const headers of server.seen) expect(headers).toMatchObject({ "x-team": "ops", authorization: "Bearer s3cret" });
  expect((await remit(["apply", "-f", at("http")])).code).toBe(0);
  const diff = [...args, "--prefix", "http.", "--diff"];
  const same = await remit(diff, secret);
  expect(same.stdout).toMatch(/^http\.read_file +read +same/m);
  // The tools that the first test registered are of the same server, under other names.
  expect(same.stdout).toMatch(/^read_file +gone/m);

  const [readFile, ...others] = toyTools;
  const changed = { name: "read_file", inputSchema: { type: "object", properties: { path: {}, exec: {} } } };
  server.offer([changed, ...others.slice(1), { name: "copy_file" }]);
  const { code, stdout } = await remit([...diff, "--json"], secret);
  expect(code).toBe(1);
  const answer = JSON.parse(stdout);
  const since = Object.fromEntries(
    answer.tools.map((tool: { name: string; since: string }) => [tool.name, tool.since]),
  );
  expect(since).toMatchObject({
    "http.read_file": "schema changed",
    "http.copy_file": "new",
    "http.delete_file": "same",
  });
  expect(answer.gone).toContain("http.list_files");
  expect(readFile?.name).toBe("read_file");
});

test("callers may go by the schema that the server offers, and by no other", async () => {
  const agent =
    "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: clerk, owner: ada }\nspec: { ceiling: { tools: ['*'] } }\n";
  await writeFile(at("agent.yaml"), agent);
  expect((await remit(["apply", "-f", at("agent.yaml"), "-f", at("http")])).code).toBe(0);
  const { token } = await openSession(house);
  const shown = await remit(["tools", "show", "http.read_file", "--json"]);
  const { tool } = JSON.parse(shown.stdout);
  expect(tool.offeredSchemaDigest).not.toBe(tool.schemaDigest);
  const decide = async (digest: string) => {
    const args = ["decide", "http.read_file", "--input", '{"path":"/a"}', "--session-token", token];
    const { stdout } = await remit([...args, "--schema-digest", digest, "--json"]);
    return JSON.parse(stdout).reason.code;
  };
  expect(await decide(tool.offeredSchemaDigest)).toBe("no_rule_matched");
  expect(await decide(tool.schemaDigest)).toBe("no_rule_matched");
  expect(await decide(`sha256:${"0".repeat(64)}`)).toBe("tool_schema_changed");
});

test("a tool is shown as a document that registers it again", async () => {
  const shown = await remit(["tools", "show", "http.send_mail"]);
  expect(shown.stdout).toContain("# input schema sha256:");
  await writeFile(at("again.yaml"), shown.stdout);
  const again = await remit(["apply", "-f", at("again.yaml")]);
  expect(again.stdout).toMatch(/http\.send_mail +unchanged/);
  expect(await remit(["tools", "show", "none"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("tool_unknown"),
  });
});

function* endless() {
  for (;;) yield Buffer.alloc(1 << 20, "x");
}

test("an OpenAPI document is read from a file and from a URL, in its old dialects too", async () => {
  const text = readFileSync(kiosk);
  const server = createServer((request, response) => {
    if (request.url === "/endless") {
      Readable.from(endless()).pipe(response);
      response.on("close", () => response.destroy());
    } else response.writeHead(request.url === "/kiosk" ? 200 : 404).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const read = await remit(["tools", "import", "openapi", `${base}/kiosk`, "--out", at("kiosk")]);
    expect(read.code).toBe(0);
    expect(riskOf(read.stdout, "replacePaper")).toBe("write");
    const missing = await remit(["tools", "import", "openapi", `${base}/none`]);
    expect(missing).toMatchObject({ code: 3, stderr: expect.stringContaining("HTTP 404") });
    const endless = await remit(["tools", "import", "openapi", `${base}/endless`]);
    expect(endless).toMatchObject({ code: 3, stderr: expect.stringContaining("an answer of more than") });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  const books = await remit(["tools", "import", "openapi", library, "--out", at("books")]);
  expect(["listBooks", "addBook", "removeBook", "fetchCover"].map((name) => riskOf(books.stdout, name))).toEqual([
    ...["read", "write", "destructive", "write"],
  ]);
  expect(await remit(["apply", "-f", at("kiosk"), "-f", at("books")])).toMatchObject({ code: 0, stderr: "" });
});

test("a server that fails is quoted, and one that says nothing is given up and ended", async () => {
  const failing = `"${process.execPath}" "${toyStdio}" "${at("failing")}" fail`;
  const failed = await remit(["tools", "import", "mcp", "--command", failing]);
  expect(failed.code).toBe(3);
  expect(failed.stderr).toContain("  no licence file found");
  expect(failed.stderr).not.toContain("\u001b");

  const script = `require("node:fs").appendFileSync(${JSON.stringify(at("silent"))}, JSON.stringify({pid: process.pid}) + "\\n"); setInterval(() => {}, 1000)`;
  await writeFile(at("silent.cjs"), script);
  const silent = `"${process.execPath}" "${at("silent.cjs")}"`;
  const given = await remit(["tools", "import", "mcp", "--command", silent, "--timeout", "2s"]);
  expect(given).toMatchObject({ code: 3, stderr: expect.stringContaining("gave no tools") });
  // Nothing is started after the command has ended: what there was is gone by then.
  expect(noted(at("silent"))).toHaveLength(1);
  await expect.poll(() => noted(at("silent")).filter(({ pid }) => isAlive(pid)), { timeout: 10_000 }).toEqual([]);

  const absent = await remit(["tools", "import", "mcp", "--command", "/nowhere/server"]);
  expect(absent).toMatchObject({ code: 3, stderr: expect.stringContaining("ENOENT") });
  const nobody = await remit(["tools", "import", "mcp", "--url", "http://127.0.0.1:1/mcp"]);
  expect(nobody).toMatchObject({ code: 3, stderr: expect.stringContaining("http://127.0.0.1:1/mcp gave no tools") });
});
