import { toJson } from "@bufbuild/protobuf";
import { PublishPoliciesResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { readDocumentFiles, separate } from "../document-files.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { fromWire, printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { addPolicyDiff } from "./policy-diff.ts";
import { addPolicyExplain } from "./policy-explain.ts";
import { addPolicyInit } from "./policy-init.ts";
import { addPolicyLifecycle } from "./policy-lifecycle.ts";
import { addPolicyLint } from "./policy-lint.ts";
import { addPolicyRollout } from "./policy-rollout.ts";
import { addPolicySchema } from "./policy-schema.ts";
import { addPolicySuggest } from "./policy-suggest.ts";
import { addPolicyTest } from "./policy-test.ts";

interface LintFlags {
  strict?: boolean;
  json?: boolean;
}

interface PublishFlags extends LintFlags {
  dryRun?: boolean;
  draft?: boolean;
}

async function publish(cli: Cli, paths: readonly string[], flags: PublishFlags): Promise<ExitCode> {
  const { documents: files } = await readDocumentFiles(cli.io, paths, "the path");
  const { problems: before } = await checkDocuments(files);
  const { strict = false, dryRun = false, draft = false } = flags;
  // What is wrong with a draft is told by the service, which stores it all the same.
  if (!draft && refuses(before, false)) {
    await printProblems(cli.io, before);
    return exitCodes.no;
  }
  const policies = (await separate(files)).filter(({ kind }) => kind === "policy");
  if (policies.length === 0)
    throw usage("no document of kind Policy is among the files", "register others with `remit apply`");
  const answer = await cli.clients().policy.publishPolicies({
    files: policies.map(({ file, text }) => ({ file, text })),
    strict,
    dryRun,
    draft,
  });
  const problems = answer.problems.map(fromWire);
  await printProblems(cli.io, problems);
  if (flags.json) printJson(cli.io, toJson(PublishPoliciesResponseSchema, answer));
  const stored = draft && !dryRun && answer.versions.length > 0;
  if (!stored && refuses(problems, strict)) return exitCodes.no;
  if (flags.json) return exitCodes.ok;
  for (const { policy, version, created } of answer.versions) {
    const what = created ? (dryRun ? "would be published" : "published") : "had been published before";
    cli.io.out(`${policy}@${version} ${what}`);
  }
  const choices = answer.versions.map(({ policy, version }) => `${policy}@${version}`).join(" ");
  const isDraft = answer.versions.some(({ state }) => state === "draft");
  if (!dryRun)
    cli.io.out(
      isDraft ? `a draft: remit policy validate ${choices}` : `not in force yet: remit policy activate ${choices}`,
    );
  return exitCodes.ok;
}

function addVersions(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const published = policy
    .command("publish <path...>")
    .description("check policies and store them as new versions; nothing is in force yet")
    .option("--strict", "warnings count as errors")
    .option("--dry-run", "check everything, store nothing")
    .option("--draft", "store them whatever is wrong with them, as long as they can be read")
    .option("--json", "for machines")
    .action(async (paths: string[], flags: PublishFlags) => ended(await publish(cli, paths, flags)));
  examples(published, [
    ["a new version of each policy in the directory", "remit policy publish policies/"],
    ["a version that is not ready", "remit policy publish policies/payments.yaml --draft"],
  ]);
  addPolicyLifecycle(policy, cli, ended);
  addPolicyRollout(policy, cli);
}

/** `remit policy`: lint and test without a service; the life of versions with one. */
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
