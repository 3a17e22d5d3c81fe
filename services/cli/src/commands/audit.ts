import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { type PageOf, pagesOf } from "../pages.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { sinceMs } from "../time-span.ts";

interface Flags {
  since: string;
  method?: string;
  caller?: string;
  outcome?: string;
  changes?: boolean;
  limit: string;
  json?: boolean;
}

const PAGE = 100;

const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");
const object = (value: JsonValue | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};

/** What a call was about, on one line: the names of what it asked for, or of what it changed. */
function aboutText({ about, what, change }: JsonObject): string {
  const told = change === undefined ? object(about) : object(what);
  const named = ["name", "names", "choices", "policies", "caller", "caller_id", "tenant", "decision_id", "session"];
  const shown = named.flatMap((name) => {
    const value = told[name];
    if (value === undefined || value === null) return [];
    return [typeof value === "string" ? value : JSON.stringify(value)];
  });
  return shown.join(" ");
}

function row(id: string, body: JsonObject): string[] {
  const { at, caller, method, change, outcome } = body;
  const { name, id: callerId } = object(caller);
  const asked = text(method).replace(/^remit\.v1\./, "") || "-";
  const came = change === undefined ? text(outcome) : text(change);
  return [text(at), text(name) || text(callerId), asked, came, aboutText(body), id];
}

async function list(cli: Cli, flags: Flags): Promise<void> {
  const limit = Number(flags.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) throw usage("--limit takes a whole number above 0");
  const { ledger } = cli.clients();
  const since = timestampFromMs(sinceMs(flags.since, Date.now()));
  const query = {
    ...{ since, method: flags.method ?? "", callerId: flags.caller ?? "", outcome: flags.outcome ?? "" },
    changesOnly: flags.changes ?? false,
  };
  const found: { readonly id: string; readonly body: JsonObject }[] = [];
  const ask = ({ pageToken }: PageOf) =>
    ledger.listAdminCalls({ ...query, pageSize: Math.min(PAGE, limit - found.length), pageToken });
  for await (const page of pagesOf(ask)) {
    found.push(...page.calls.map(({ id, body = {}, erased }) => ({ id, body: erased ? { outcome: "erased" } : body })));
    if (found.length >= limit) break;
  }
  if (flags.json) {
    return printJson(
      cli.io,
      found.map(({ body }) => body),
    );
  }
  const titles = ["AT", "CALLER", "ASKED", "CAME OF IT", "ABOUT", "ENTRY"].map((title) => ({ title }));
  const rows = found.map(({ id, body }) => row(id, body));
  for (const line of table(titles, rows)) cli.io.out(line);
  if (found.length === limit) cli.io.out(`the newest ${limit}; --limit shows more`);
}

/** `remit audit`: who asked the admin plane for what, and what came of it. */
export function addAudit(program: Command, cli: Cli): void {
  const command = program
    .command("audit")
    .description("who asked the admin services for what, and what came of it: reads and refusals too")
    .option("--since <time>", "a duration such as 15m, 24h or 7d, or a time such as 2026-03-01T08:00:00Z", "24h")
    .option("--method <rpc>", "of this RPC, such as ActivatePolicies")
    .option("--caller <id>", "of this caller; ids stand in `remit keys list`")
    .option("--outcome <reason>", "that came out so: ok, role_missing, ...")
    .option("--changes", "only changes that were made")
    .option("--limit <n>", "at most so many", "50")
    .option("--json", "for machines: the whole entries")
    .action((flags: Flags) => list(cli, flags));
  examples(command, [
    ["what was changed this week?", "remit audit --changes --since 7d"],
    ["who was refused?", "remit audit --outcome role_missing"],
    ["who looked at a decision?", "remit audit --method GetDecision"],
  ]);
}
