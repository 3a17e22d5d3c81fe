import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  LiftResponseSchema,
  ListRevocationsResponseSchema,
  type Revocation,
  type RevocationSubjectSchema,
  type RevokeResponse,
  RevokeResponseSchema,
} from "@remit/proto/revocation";
import { Argument, type Command } from "commander";
import { collect, pairs } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { labelText } from "../label-text.ts";
import { everyItem } from "../pages.ts";
import { exitCodes, Stop, usage } from "../stop.ts";
import { table } from "../table.ts";

const kinds = ["agent", "session", "principal", "tool"] as const;
type Kind = (typeof kinds)[number];

type Subject = NonNullable<MessageInitShape<typeof RevocationSubjectSchema>["subject"]>;

interface Flags {
  reason: string;
  json?: boolean;
}

interface HaltFlags extends Flags {
  labels?: string[];
  tenant?: boolean;
}

/** One text for the same labels in whatever order. */
const haltText = (labels: Readonly<Record<string, string>>) =>
  labelText(Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))));

/** What a revocation is of, as two words of a table. */
function subjectText({ subject }: Revocation): readonly [string, string] {
  const one = subject?.subject;
  if (one?.case === "labels") return ["halt", haltText(one.value.matchLabels)];
  if (one?.case === "tenant") return ["halt", "everything"];
  return [one?.case ?? "", one?.value ?? ""];
}

/** The same in a sentence. */
function whole(revocation: Revocation | undefined): string {
  if (!revocation) return "";
  const [kind, name] = subjectText(revocation);
  return kind === "halt" ? name : `${kind} ${name}`;
}

function told(cli: Cli, { revocation, created, known, revision }: RevokeResponse, words: string): void {
  const { io } = cli;
  io.out(created ? `${words} ${whole(revocation)}` : `${words} ${whole(revocation)} before: ${revocation?.reason}`);
  io.out(`id        ${revocation?.id}`);
  io.out(`revision  ${revision}`);
  if (!known) io.err("nothing of that name is registered now; should it be, it is revoked");
}

async function revoke(cli: Cli, subject: Subject, words: string, { reason, json }: Flags): Promise<void> {
  const answer = await cli.clients().revocation.revoke({ subject: { subject }, reason });
  if (json) printJson(cli.io, toJson(RevokeResponseSchema, answer));
  else told(cli, answer, words);
}

async function lift(cli: Cli, revocationId: string, words: string, { reason, json }: Flags): Promise<void> {
  const answer = await cli.clients().revocation.lift({ revocationId, reason });
  if (json) return printJson(cli.io, toJson(LiftResponseSchema, answer));
  const { revocation, lifted, revision } = answer;
  cli.io.out(lifted ? `${words} ${whole(revocation)}` : `${words} ${whole(revocation)} before`);
  cli.io.out(`revision  ${revision}`);
}

/** Every page of what is revoked. */
function everyRevocation(cli: Cli, asked: { readonly all: boolean; readonly halts: boolean }) {
  const { revocation } = cli.clients();
  return everyItem(
    ({ pageToken }) => revocation.listRevocations({ ...asked, pageToken }),
    (page) => page.revocations,
  );
}

function stateOf({ liftedAt, liftedBy, expiresAt }: Revocation): string {
  if (liftedAt) return `lifted ${timestampDate(liftedAt).toISOString()} by ${liftedBy?.name}`;
  return expiresAt ? `until ${timestampDate(expiresAt).toISOString()}` : "living";
}

async function list(cli: Cli, halts: boolean, { all = false, json }: { all?: boolean; json?: boolean }): Promise<void> {
  const revocations = await everyRevocation(cli, { all, halts });
  if (json) {
    const answer = create(ListRevocationsResponseSchema, { revocations });
    return printJson(cli.io, toJson(ListRevocationsResponseSchema, answer));
  }
  const rows = revocations.map((one) => [
    one.id,
    ...subjectText(one),
    one.by?.name ?? "",
    one.at ? timestampDate(one.at).toISOString() : "",
    stateOf(one),
    one.reason,
  ]);
  const titles = ["ID", "KIND", "OF", "BY", "SINCE", "STATE", "REASON"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

/** The living revocation that somebody names by what it is of. */
async function idOf(cli: Cli, kind: string, name: string): Promise<string> {
  const found = (await everyRevocation(cli, { all: false, halts: kind === "halt" })).find((one) => {
    const [of, what] = subjectText(one);
    return of === kind && what === name;
  });
  if (found) return found.id;
  // The command is right and the answer is no, as for an id that there is not.
  const [what, look] = kind === "halt" ? ["engaged", "remit halt list --all"] : ["revoked", "remit revocations --all"];
  throw new Stop(exitCodes.no, `no ${kind} ${name} is ${what}`, `look at \`${look}\``);
}

function haltOf({ labels, tenant }: HaltFlags): Subject {
  if (tenant && !labels) return { case: "tenant", value: true };
  if (labels && !tenant) return { case: "labels", value: { matchLabels: pairs(labels.flatMap(split), "--labels") } };
  throw usage("say what is halted", "--labels NAME=VALUE, several times, or --tenant for everything");
}

const split = (text: string) => text.split(",");

async function haltId(cli: Cli, id: string | undefined, flags: HaltFlags): Promise<string> {
  if (id !== undefined && !flags.labels && !flags.tenant) return id;
  if (id !== undefined) throw usage("the halt is named twice", "give its id, or --labels, or --tenant");
  const { case: of, value } = haltOf(flags);
  return idOf(cli, "halt", of === "labels" ? haltText(value.matchLabels ?? {}) : "everything");
}

const reasonWords = "why, for those who look at it later; no agent is told";

function addHalt(program: Command, cli: Cli): void {
  const halt = program.command("halt").description("stop what carries labels, or everything, at once and everywhere");
  const selected = (command: Command) =>
    command
      .option(
        "--labels <name=value>",
        "every session in whose chain one link carries all of these; several times",
        collect,
      )
      .option("--tenant", "everything")
      .requiredOption("--reason <text>", reasonWords)
      .option("--json", "for machines");
  const engaged = selected(halt.command("engage"))
    .description("halt; takes the role operator")
    .action((flags: HaltFlags) => revoke(cli, haltOf(flags), "halted", flags));
  examples(engaged, [
    ["every agent and session of one team", 'remit halt engage --labels team=payments --reason "INC-7"'],
    ["everything", 'remit halt engage --tenant --reason "INC-7"'],
  ]);
  const released = selected(halt.command("release [id]"))
    .description("let go on; takes the role operator")
    .action(async (id: string | undefined, flags: HaltFlags) =>
      lift(cli, await haltId(cli, id, flags), "released", flags),
    );
  examples(released, [["by what was halted", 'remit halt release --labels team=payments --reason "mended"']]);
  const listed = halt
    .command("list")
    .description("halts that are engaged")
    .option("--all", "those that were released, too")
    .option("--json", "for machines")
    .action((flags: { all?: boolean; json?: boolean }) => list(cli, true, flags));
  examples(listed, [["what is halted now", "remit halt list"]]);
}

/** `remit revoke`, `remit lift`, `remit revocations`, `remit halt`. */
export function addRevocations(program: Command, cli: Cli): void {
  const revoked = program
    .command("revoke")
    .description("end what an agent, a session, a principal or a tool may do, at once and everywhere")
    .addArgument(new Argument("<kind>", "what it is").choices(kinds))
    .argument("<name>", "its name, or its id")
    .requiredOption("--reason <text>", reasonWords)
    .option("--json", "for machines")
    .action((kind: Kind, value: string, flags: Flags) => revoke(cli, { case: kind, value }, "revoked", flags));
  examples(revoked, [
    ["an agent, with every session of it and all that was delegated", 'remit revoke agent bookkeeper --reason "INC-7"'],
    ["one session, for good", "remit revoke session 0199f7c2-... --reason stolen"],
    ["a person, whichever agent acts for them", 'remit revoke principal ada@example.com --reason "left us"'],
  ]);
  const lifted = program
    .command("lift <id-or-kind> [name]")
    .description("lift a revocation; sessions stay revoked")
    .requiredOption("--reason <text>", reasonWords)
    .option("--json", "for machines")
    .action(async (first: string, name: string | undefined, flags: Flags) =>
      lift(cli, name === undefined ? first : await idOf(cli, first, name), "lifted", flags),
    );
  examples(lifted, [
    ["by what was revoked", 'remit lift agent bookkeeper --reason "the key was changed"'],
    ["the id stands in `remit revocations`", "remit lift 0199f7c2-... --reason mended"],
  ]);
  const listed = program
    .command("revocations")
    .description("what is revoked and halted")
    .option("--all", "what was lifted, or is over, too")
    .option("--json", "for machines")
    .action((flags: { all?: boolean; json?: boolean }) => list(cli, false, flags));
  examples(listed, [["what is revoked now, by whom and why", "remit revocations"]]);
  addHalt(program, cli);
}
