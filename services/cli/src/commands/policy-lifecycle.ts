import { create, toJson } from "@bufbuild/protobuf";
import {
  ActivatePoliciesResponseSchema,
  DeactivatePoliciesResponseSchema,
  GetPoliciesResponseSchema,
  type ListPoliciesResponse,
  ListPoliciesResponseSchema,
  type PolicyVersion,
  RollbackPoliciesResponseSchema,
  ValidatePoliciesResponseSchema,
} from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { pagesOf } from "../pages.ts";
import { expectedRevision, policyChoice } from "../policy-choice.ts";
import { inForceText, languageText, storedPolicyLines, timeText, writtenText } from "../policy-text.ts";
import { fromWire, printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { table } from "../table.ts";
import { wholePolicies } from "../whole-policies.ts";

interface ChangeFlags {
  expectedRevision?: string;
  json?: boolean;
}

interface InForce {
  readonly active: readonly PolicyVersion[];
  readonly activeMore: number;
  readonly revision: bigint;
}

function printInForce(cli: Cli, { active, activeMore, revision }: InForce): void {
  for (const one of active) cli.io.out(`${one.policy}@${one.version} in force (${writtenText(one)})`);
  if (activeMore > 0) cli.io.out(`and ${activeMore} more, which remit policy list tells`);
  if (active.length === 0) cli.io.out("no policy is in force: every call is denied");
  cli.io.out(`revision ${revision}`);
}

async function activate(cli: Cli, names: readonly string[], flags: ChangeFlags): Promise<void> {
  const answer = await cli.clients().policy.activatePolicies({
    choices: names.map(policyChoice),
    expectedRevision: expectedRevision(flags.expectedRevision),
  });
  if (flags.json) return printJson(cli.io, toJson(ActivatePoliciesResponseSchema, answer));
  printInForce(cli, answer);
}

async function deactivate(cli: Cli, policies: string[], flags: ChangeFlags): Promise<void> {
  const answer = await cli.clients().policy.deactivatePolicies({
    policies,
    expectedRevision: expectedRevision(flags.expectedRevision),
  });
  if (flags.json) return printJson(cli.io, toJson(DeactivatePoliciesResponseSchema, answer));
  printInForce(cli, answer);
}

async function rollback(cli: Cli, names: readonly string[], flags: ChangeFlags & { to?: string }): Promise<void> {
  const choices = names.map(policyChoice);
  const [only, ...others] = choices;
  if (flags.to !== undefined) {
    if (!only || others.length > 0 || only.version) {
      throw usage("--to is for one policy", "with several write remit policy rollback payments@3 files@7");
    }
    if (!/^[1-9][0-9]{0,8}$/.test(flags.to)) throw usage("--to takes the number of a version");
    only.version = Number(flags.to);
  }
  const answer = await cli.clients().policy.rollbackPolicies({
    choices,
    expectedRevision: expectedRevision(flags.expectedRevision),
  });
  if (flags.json) return printJson(cli.io, toJson(RollbackPoliciesResponseSchema, answer));
  printInForce(cli, answer);
}

async function validate(
  cli: Cli,
  names: readonly string[],
  flags: { strict?: boolean; json?: boolean },
): Promise<ExitCode> {
  const { strict = false } = flags;
  const answer = await cli.clients().policy.validatePolicies({ choices: names.map(policyChoice), strict });
  const problems = answer.problems.map(fromWire);
  await printProblems(cli.io, problems);
  if (flags.json) printJson(cli.io, toJson(ValidatePoliciesResponseSchema, answer));
  if (refuses(problems, strict)) return exitCodes.no;
  if (flags.json) return exitCodes.ok;
  for (const { policy, version, state } of answer.versions) cli.io.out(`${policy}@${version} ${state}`);
  return exitCodes.ok;
}

async function list(cli: Cli, flags: { json?: boolean }): Promise<void> {
  const { policy: client } = cli.clients();
  const pages: ListPoliciesResponse[] = [];
  for await (const page of pagesOf((asked) => client.listPolicies(asked))) pages.push(page);
  // As of the first page: a change that expects this revision is refused where anything has changed since.
  const { revision = 0n, policyDigest = "" } = pages[0] ?? {};
  const versions = pages.flatMap((page) => page.versions);
  if (flags.json) {
    const answer = create(ListPoliciesResponseSchema, { versions, revision, policyDigest });
    return printJson(cli.io, toJson(ListPoliciesResponseSchema, answer));
  }
  const rows = versions.map((one) => [
    one.policy,
    String(one.version),
    one.state,
    languageText(one) ?? String(one.rules),
    timeText(one.publishedAt),
    inForceText(one),
    one.digest.slice(0, "sha256:".length + 12),
  ]);
  const titles = ["POLICY", "VERSION", "STATE", "RULES", "PUBLISHED", "IN FORCE", "DIGEST"];
  const columns = titles.map((title) => ({ title, right: title === "VERSION" || title === "RULES" }));
  for (const line of table(columns, rows)) cli.io.out(line);
  cli.io.out(`revision ${revision}`);
}

async function show(cli: Cli, names: readonly string[], flags: { json?: boolean }): Promise<void> {
  const answer = await wholePolicies(cli.clients(), names.map(policyChoice));
  if (flags.json) return printJson(cli.io, toJson(GetPoliciesResponseSchema, answer));
  for (const [at, stored] of answer.policies.entries()) {
    if (at > 0) cli.io.out("");
    for (const line of storedPolicyLines(stored)) cli.io.out(line);
    await printProblems(cli.io, stored.problems.map(fromWire));
  }
}

const EXPECTED = ["--expected-revision <n>", "refuse when the policies have moved on since"] as const;
const JSON_FLAG = ["--json", "for machines"] as const;

/** Commands that look at versions. */
function addViews(policy: Command, cli: Cli): void {
  const listed = policy
    .command("list")
    .description("every version with its state, and when it was in force last")
    .option(...JSON_FLAG)
    .action((flags: { json?: boolean }) => list(cli, flags));
  examples(listed, [["what is in force?", "remit policy list"]]);
  const shown = policy
    .command("show <policy...>")
    .description("versions whole: state, digest, who and when, and the document as it was written")
    .option(...JSON_FLAG)
    .action((names: string[], flags: { json?: boolean }) => show(cli, names, flags));
  examples(shown, [
    ["the newest version", "remit policy show payments"],
    ["one version, for a program", "remit policy show payments@3 --json"],
  ]);
}

/** Commands that move versions through their life, but for publishing them. */
export function addPolicyLifecycle(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const validated = policy
    .command("validate <policy...>")
    .description("check stored drafts beside what is registered now; those that fit are drafts no more")
    .option("--strict", "warnings count as errors")
    .option(...JSON_FLAG)
    .action(async (names: string[], flags: { strict?: boolean; json?: boolean }) =>
      ended(await validate(cli, names, flags)),
    );
  examples(validated, [["is the draft fit for force?", "remit policy validate payments@4"]]);
  const activated = policy
    .command("activate <policy...>")
    .description("put versions in force, all in one revision")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((names: string[], flags: ChangeFlags) => activate(cli, names, flags));
  examples(activated, [
    ["the newest version that is no draft", "remit policy activate payments"],
    ["one version of each, together", "remit policy activate payments@3 files@7"],
  ]);
  const rolledBack = policy
    .command("rollback <policy...>")
    .description("put back what was in force before, all in one revision")
    .option("--to <version>", "this version, which was in force once")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((names: string[], flags: ChangeFlags & { to?: string }) => rollback(cli, names, flags));
  examples(rolledBack, [
    ["what was in force before", "remit policy rollback payments"],
    ["a version of long ago", "remit policy rollback payments --to 3"],
  ]);
  const deactivated = policy
    .command("deactivate <policy...>")
    .description("take policies out of force, all in one revision; their versions stay")
    .option(...EXPECTED)
    .option(...JSON_FLAG)
    .action((names: string[], flags: ChangeFlags) => deactivate(cli, names, flags));
  examples(deactivated, [["it is not needed any more", "remit policy deactivate payments"]]);
  addViews(policy, cli);
}
