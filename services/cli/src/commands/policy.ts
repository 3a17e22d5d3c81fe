import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  ActivatePoliciesResponseSchema,
  ListPoliciesResponseSchema,
  type PolicyChoiceSchema,
  PublishPoliciesResponseSchema,
} from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { readDocumentFiles, separate } from "../document-files.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { fromWire, printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { table } from "../table.ts";
import { addPolicyDiff } from "./policy-diff.ts";
import { addPolicyExplain } from "./policy-explain.ts";
import { addPolicyInit } from "./policy-init.ts";
import { addPolicyLint } from "./policy-lint.ts";
import { addPolicySchema } from "./policy-schema.ts";
import { addPolicySuggest } from "./policy-suggest.ts";
import { addPolicyTest } from "./policy-test.ts";

interface LintFlags {
  strict?: boolean;
  json?: boolean;
}

interface PublishFlags extends LintFlags {
  dryRun?: boolean;
}

async function publish(cli: Cli, paths: readonly string[], flags: PublishFlags): Promise<ExitCode> {
  const { documents: files } = await readDocumentFiles(cli.io, paths, "the path");
  const { problems: before } = await checkDocuments(files);
  if (refuses(before, false)) {
    await printProblems(cli.io, before);
    return exitCodes.no;
  }
  const policies = (await separate(files)).filter(({ kind }) => kind === "policy");
  if (policies.length === 0)
    throw usage("no document of kind Policy is among the files", "register others with `remit apply`");
  const { strict = false, dryRun = false } = flags;
  const answer = await cli.clients().policy.publishPolicies({
    files: policies.map(({ file, text }) => ({ file, text })),
    strict,
    dryRun,
  });
  const problems = answer.problems.map(fromWire);
  await printProblems(cli.io, problems);
  if (flags.json) printJson(cli.io, toJson(PublishPoliciesResponseSchema, answer));
  if (refuses(problems, strict)) return exitCodes.no;
  if (flags.json) return exitCodes.ok;
  for (const { policy, version, created } of answer.versions) {
    const what = created ? (dryRun ? "would be published" : "published") : "had been published before";
    cli.io.out(`${policy}@${version} ${what}`);
  }
  const choices = answer.versions.map(({ policy, version }) => `${policy}@${version}`).join(" ");
  if (!dryRun) cli.io.out(`not in force yet: remit policy activate ${choices}`);
  return exitCodes.ok;
}

function choice(text: string): MessageInitShape<typeof PolicyChoiceSchema> {
  const [, policy, version] = /^([^@\s]+)(?:@([1-9][0-9]{0,8}))?$/.exec(text) ?? [];
  if (policy === undefined)
    throw usage(`not a policy: ${JSON.stringify(text)}`, "write payments, or payments@3 for one version");
  return { policy, version: Number(version ?? 0) };
}

interface ActivateFlags {
  expectedRevision?: string;
  json?: boolean;
}

async function activate(cli: Cli, names: readonly string[], flags: ActivateFlags): Promise<void> {
  const expected = flags.expectedRevision ?? "0";
  if (!/^[0-9]{1,18}$/.test(expected)) throw usage("--expected-revision takes a whole number");
  const answer = await cli.clients().policy.activatePolicies({
    choices: names.map(choice),
    expectedRevision: BigInt(expected),
  });
  if (flags.json) return printJson(cli.io, toJson(ActivatePoliciesResponseSchema, answer));
  for (const { policy, version, rules } of answer.active) cli.io.out(`${policy}@${version} in force (${rules} rules)`);
  cli.io.out(`revision ${answer.revision}`);
}

async function list(cli: Cli, flags: { json?: boolean }): Promise<void> {
  const answer = await cli.clients().policy.listPolicies({});
  if (flags.json) return printJson(cli.io, toJson(ListPoliciesResponseSchema, answer));
  const rows = answer.versions.map(({ policy, version, state, rules, publishedAt, digest }) => [
    policy,
    String(version),
    state,
    String(rules),
    publishedAt === undefined ? "" : timestampDate(publishedAt).toISOString(),
    digest.slice(0, "sha256:".length + 12),
  ]);
  const titles = ["POLICY", "VERSION", "STATE", "RULES", "PUBLISHED", "DIGEST"];
  const columns = titles.map((title) => ({ title, right: title === "VERSION" || title === "RULES" }));
  for (const line of table(columns, rows)) cli.io.out(line);
  cli.io.out(`revision ${answer.revision}`);
}

function addVersions(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const published = policy
    .command("publish <path...>")
    .description("check policies and store them as new versions; nothing is in force yet")
    .option("--strict", "warnings count as errors")
    .option("--dry-run", "check everything, store nothing")
    .option("--json", "for machines")
    .action(async (paths: string[], flags: PublishFlags) => ended(await publish(cli, paths, flags)));
  examples(published, [["a new version of each policy in the directory", "remit policy publish policies/"]]);
  const activated = policy
    .command("activate <policy...>")
    .description("put versions in force, all in one revision")
    .option("--expected-revision <n>", "refuse when the policies have moved on since")
    .option("--json", "for machines")
    .action((names: string[], flags: ActivateFlags) => activate(cli, names, flags));
  examples(activated, [
    ["the newest version", "remit policy activate payments"],
    ["one version of each, together", "remit policy activate payments@3 files@7"],
  ]);
  const listed = policy
    .command("list")
    .description("every version with its state")
    .option("--json", "for machines")
    .action((flags: { json?: boolean }) => list(cli, flags));
  examples(listed, [["what is in force?", "remit policy list"]]);
}

/** `remit policy`: lint and test without a service; publish, activate, list with one. */
export function addPolicy(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const policy = program.command("policy").description("check, test, publish and activate policies");
  addPolicyLint(policy, cli, ended);
  addPolicyInit(policy, cli);
  addPolicySchema(policy, cli);
  addPolicyTest(policy, cli, ended);
  addPolicyDiff(policy, cli, ended);
  addPolicyExplain(policy, cli, ended);
  addPolicySuggest(policy, cli, ended);
  addVersions(policy, cli, ended);
}
