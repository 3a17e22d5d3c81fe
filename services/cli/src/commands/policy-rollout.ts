import { type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  AbortRolloutResponseSchema,
  type Difference,
  DifferenceSchema,
  type GetRolloutResponse,
  GetRolloutResponseSchema,
  PromoteRolloutResponseSchema,
  type Rollout,
  SetRolloutShareResponseSchema,
  StartRolloutResponseSchema,
} from "@remit/proto/rollout";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { pagesOf } from "../pages.ts";
import { expectedRevision, percent, policyChoice } from "../policy-choice.ts";
import { differenceRow, rolloutLines } from "../policy-text.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";

interface ChangeFlags {
  expectedRevision?: string;
  json?: boolean;
}

function print(cli: Cli, { rollout, revision }: { rollout?: Rollout | undefined; revision: bigint }): void {
  for (const line of rollout ? rolloutLines(rollout) : []) cli.io.out(line);
  cli.io.out(`revision ${revision}`);
}

async function start(cli: Cli, names: readonly string[], share: number, flags: ChangeFlags): Promise<void> {
  const answer = await cli.clients().rollout.startRollout({
    choices: names.map(policyChoice),
    shareBasisPoints: share,
    expectedRevision: expectedRevision(flags.expectedRevision),
  });
  if (flags.json) printJson(cli.io, toJson(StartRolloutResponseSchema, answer));
  else print(cli, answer);
}

async function setShare(cli: Cli, share: number, flags: ChangeFlags): Promise<void> {
  const answer = await cli.clients().rollout.setRolloutShare({
    shareBasisPoints: share,
    expectedRevision: expectedRevision(flags.expectedRevision),
  });
  if (flags.json) printJson(cli.io, toJson(SetRolloutShareResponseSchema, answer));
  else print(cli, answer);
}

/** All pages of a rollout's decisions, counted. */
async function tally(cli: Cli, rolloutId: string) {
  const { rollout } = cli.clients();
  const counts = { judged: 0n, unjudged: 0n, canary: 0n };
  const found = new Map<string, Difference>();
  for await (const page of pagesOf(({ pageToken }) => rollout.tallyRollout({ rolloutId, pageToken }))) {
    for (const name of ["judged", "unjudged", "canary"] as const) counts[name] += page[name];
    for (const one of page.differences) {
      const key = `${one.fromCode} ${one.from} ${one.toCode} ${one.to}`;
      const before = found.get(key);
      if (before) before.calls += one.calls;
      else found.set(key, one);
    }
    cli.io.progress(`${counts.judged} decisions counted`);
  }
  cli.io.progress("");
  const differences = [...found.values()].sort((a, b) => Number(b.calls - a.calls));
  return { ...counts, differences };
}

function statusJson(answer: GetRolloutResponse, { differences, ...counts }: Awaited<ReturnType<typeof tally>>) {
  return {
    ...(toJson(GetRolloutResponseSchema, answer) as Record<string, JsonValue>),
    ...{ judged: `${counts.judged}`, unjudged: `${counts.unjudged}`, canary: `${counts.canary}` },
    differences: differences.map((one) => toJson(DifferenceSchema, one)),
  };
}

async function status(cli: Cli, flags: { id?: string; json?: boolean }): Promise<void> {
  const answer = await cli.clients().rollout.getRollout({ rolloutId: flags.id ?? "" });
  const counts = await tally(cli, answer.rollout?.id ?? "");
  if (flags.json) return printJson(cli.io, statusJson(answer, counts));
  const { judged, unjudged, canary, differences } = counts;
  for (const line of answer.rollout ? rolloutLines(answer.rollout) : []) cli.io.out(line);
  const differ = differences.reduce((sum, { calls }) => sum + calls, 0n);
  cli.io.out(`  judged    ${judged} by both, ${canary} of them decided by what is tried; ${differ} differ`);
  if (unjudged > 0n) cli.io.out(`  unjudged  ${unjudged}, where what is tried could not be judged`);
  if (differences.length === 0) return;
  const columns = ["IN FORCE → TRIED", "CODES", "CALLS", "NEWEST"].map((title) => ({
    title,
    right: title === "CALLS",
  }));
  for (const line of table(columns, differences.map(differenceRow))) cli.io.out(line);
}

async function promote(cli: Cli, flags: ChangeFlags): Promise<void> {
  const expected = expectedRevision(flags.expectedRevision);
  const answer = await cli.clients().rollout.promoteRollout({ expectedRevision: expected });
  if (flags.json) printJson(cli.io, toJson(PromoteRolloutResponseSchema, answer));
  else print(cli, answer);
}

async function abort(cli: Cli, flags: ChangeFlags): Promise<void> {
  const expected = expectedRevision(flags.expectedRevision);
  const answer = await cli.clients().rollout.abortRollout({ expectedRevision: expected });
  if (flags.json) printJson(cli.io, toJson(AbortRolloutResponseSchema, answer));
  else print(cli, answer);
}

const EXPECTED = ["--expected-revision <n>", "refuse when the policies have moved on since"] as const;
const JSON_FLAG = ["--json", "for machines"] as const;

/** Commands that try versions beside those in force. */
export function addPolicyRollout(policy: Command, cli: Cli): void {
  const candidate = policy
    .command("candidate [policy...]")
    .description("judge every call by these versions too, without deciding anything by them")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((names: string[], flags: ChangeFlags) => {
      if (names.length === 0) throw usage("no version is named", "remit policy candidate payments@5");
      return start(cli, names, 0, flags);
    });
  examples(candidate, [
    ["what would change?", "remit policy candidate payments@5"],
    ["what has differed so far?", "remit policy candidate status"],
  ]);
  candidate
    .command("status")
    .description("what is tried, how many decisions were judged, and where the two differ")
    .option("--id <rollout>", "a rollout that has ended")
    .option(...JSON_FLAG)
    // The parent's options of the same name are read by the parent.
    .action((_flags, command: Command) => status(cli, command.optsWithGlobals()));
  const canary = policy
    .command("canary [policy...]")
    .description("decide by these versions for a share of the sessions; without a version make the share greater")
    .requiredOption("--percent <n>", "of all sessions, with at most two digits after the point; it only grows")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((names: string[], flags: ChangeFlags & { percent: string }) => {
      const share = percent(flags.percent);
      return names.length === 0 ? setShare(cli, share, flags) : start(cli, names, share, flags);
    });
  examples(canary, [
    ["one session of ten", "remit policy canary payments@5 --percent 10"],
    ["half of them", "remit policy canary --percent 50"],
  ]);
  policy
    .command("promote")
    .description("put what is tried in force for everybody, in one revision")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((flags: ChangeFlags) => promote(cli, flags));
  policy
    .command("abort")
    .description("end what is tried: what is in force decides for everybody")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((flags: ChangeFlags) => abort(cli, flags));
}
