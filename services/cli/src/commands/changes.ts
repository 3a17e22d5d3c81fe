import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import {
  ApproveChangeResponseSchema,
  type ChangeRecord,
  GetChangeResponseSchema,
  ListChangesResponseSchema,
  RejectChangeResponseSchema,
  WithdrawChangeResponseSchema,
} from "@remit/proto/change";
import { type Command, Option } from "commander";
import { changedRowLines, policyLines } from "../change-text.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { exitCodes, Stop } from "../stop.ts";
import { table } from "../table.ts";
import { spelledOut } from "../tools-import/plain-text.ts";

interface JsonFlag {
  json?: boolean;
}

const states = ["proposed", "applied", "rejected", "withdrawn", "expired", "refused"];

const timeText = (time: Timestamp | undefined) => (time === undefined ? "" : timestampDate(time).toISOString());

/** A person's name, or their words. */
const words = (text = "") => spelledOut(text);

const shortMethod = ({ method }: ChangeRecord) => method.slice(method.lastIndexOf("/") + 1);

/** Reads one whole, and refuses an answer whose digest is not that of what it says. */
async function read(cli: Cli, changeId: string): Promise<ChangeRecord> {
  const { change } = await cli.clients().changes.getChange({ changeId });
  if (!change) throw new Stop(exitCodes.no, "there is no such change");
  const { createHash } = await import("node:crypto");
  const hex = createHash("sha256").update(`remit/change/v1\n${change.request}`).digest("hex");
  if (change.digest === `sha256:${hex}`) return change;
  throw new Stop(exitCodes.no, "the digest of this change is not that of what it says");
}

async function show(cli: Cli, id: string, flags: JsonFlag): Promise<void> {
  const change = await read(cli, id);
  if (flags.json)
    return printJson(cli.io, toJson(GetChangeResponseSchema, { change, $typeName: "remit.v1.GetChangeResponse" }));
  const { io } = cli;
  io.out(`change    ${change.id}  ${change.state}`);
  io.out(`asks      ${shortMethod(change)}`);
  io.out(`by        ${words(change.proposedBy?.name)} at ${timeText(change.proposedAt)}`);
  if (change.reason !== "") io.out(`because   ${words(change.reason)}`);
  io.out(`takes     ${Math.max(change.people, 2)} people, who proposed it included`);
  for (const { by, at } of change.approvals) io.out(`approved  by ${words(by?.name)} at ${timeText(at)}`);
  if (change.state === "proposed") io.out(`waits     until ${timeText(change.expiresAt)}`);
  if (change.endedAt) {
    const by = change.endedBy ? ` by ${words(change.endedBy.name)}` : "";
    io.out(`ended     ${timeText(change.endedAt)}${by}${change.endedWhy === "" ? "" : `: ${words(change.endedWhy)}`}`);
  }
  for (const row of change.rows) {
    io.out("");
    const lines = (row.table === "active_policy" && (await policyLines(cli, row))) || changedRowLines(row);
    for (const line of lines) io.out(line);
  }
  io.out("");
  io.out(`digest    ${change.digest}`);
  if (change.state === "proposed")
    io.out(`to approve exactly this: remit changes approve ${id} --digest ${change.digest}`);
}

async function list(cli: Cli, flags: JsonFlag & { state?: string }): Promise<void> {
  const answer = await cli.clients().changes.listChanges({ state: flags.state ?? "" });
  if (flags.json) return printJson(cli.io, toJson(ListChangesResponseSchema, answer));
  const rows = answer.changes.map((change) => [
    ...[change.id, change.state, shortMethod(change), words(change.proposedBy?.name)],
    `${change.approvals.length} of ${Math.max(change.people, 2) - 1}`,
    timeText(change.state === "proposed" ? change.expiresAt : change.endedAt),
    words(change.reason),
  ]);
  const titles = ["CHANGE", "STATE", "ASKS", "BY", "APPROVED", "UNTIL", "REASON"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

async function approve(cli: Cli, changeId: string, flags: JsonFlag & { digest?: string }): Promise<void> {
  const digest = flags.digest ?? (await read(cli, changeId)).digest;
  const answer = await cli.clients().changes.approveChange({ changeId, digest });
  if (flags.json) return printJson(cli.io, toJson(ApproveChangeResponseSchema, answer));
  if (answer.change?.state !== "applied") return cli.io.out("approved; it takes more people");
  // Only the answer that made the change knows the revision.
  cli.io.out(answer.revision > 0n ? `applied; revision ${answer.revision}` : "applied before");
}

/** `remit changes`: what takes several people. */
export function addChanges(program: Command, cli: Cli): void {
  const changes = program.command("changes").description("what takes several people: look at it, approve or reject it");
  const listed = changes
    .command("list")
    .description("proposed changes and what became of them, the newest first")
    .addOption(new Option("--state <state>", "those in this state").choices(states))
    .option("--json", "for machines")
    .action((flags: JsonFlag & { state?: string }) => list(cli, flags));
  examples(listed, [["what waits for me?", "remit changes list --state proposed"]]);
  const shown = changes
    .command("show <change>")
    .description("one change: who asks for what, and what it would change")
    .option("--json", "for machines")
    .action((id: string, flags: JsonFlag) => show(cli, id, flags));
  examples(shown, [["before approving it", "remit changes show 019a4f3e-..."]]);
  const approved = changes
    .command("approve <change>")
    .description("agree; the last who has to makes the change")
    .option("--digest <digest>", "of what you have looked at: nothing else is approved")
    .option("--json", "for machines")
    .action((id: string, flags: JsonFlag & { digest?: string }) => approve(cli, id, flags));
  examples(approved, [["as `remit changes show` showed it", "remit changes approve 019a4f3e-... --digest sha256:..."]]);
  const rejected = changes
    .command("reject <change>")
    .description("end it; it cannot be approved any more")
    .option("--reason <text>", "why", "")
    .option("--json", "for machines")
    .action(async (changeId: string, flags: JsonFlag & { reason: string }) => {
      const answer = await cli.clients().changes.rejectChange({ changeId, reason: flags.reason });
      if (flags.json) printJson(cli.io, toJson(RejectChangeResponseSchema, answer));
      else cli.io.out(`rejected ${changeId}`);
    });
  examples(rejected, [["and say why", 'remit changes reject 019a4f3e-... --reason "opens refunds to everybody"']]);
  const withdrawn = changes
    .command("withdraw <change>")
    .description("take back what you have proposed")
    .option("--json", "for machines")
    .action(async (changeId: string, flags: JsonFlag) => {
      const answer = await cli.clients().changes.withdrawChange({ changeId });
      if (flags.json) printJson(cli.io, toJson(WithdrawChangeResponseSchema, answer));
      else cli.io.out(`withdrew ${changeId}`);
    });
  examples(withdrawn, [["it was a mistake", "remit changes withdraw 019a4f3e-..."]]);
}
