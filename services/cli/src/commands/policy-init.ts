import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import type { DocumentFile } from "../document-files.ts";
import { examples } from "../examples.ts";
import { readStarterPack, type StarterPolicy } from "../starter/read-pack.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";

interface InitFlags {
  only?: string;
  list?: boolean;
  json?: boolean;
}

function chosen(pack: readonly StarterPolicy[], only: string | undefined): readonly StarterPolicy[] {
  if (only === undefined) return pack;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.find((name) => pack.every((policy) => policy.name !== name));
  if (unknown !== undefined) {
    throw usage(
      `--only: no starter policy is called ${JSON.stringify(unknown)}`,
      `choose from ${pack.map(({ name }) => name).join(", ")}`,
    );
  }
  return pack.filter(({ name }) => names.includes(name));
}

/** Writes files that are not there yet, all or none. */
async function writeNew(directory: string, files: readonly DocumentFile[]): Promise<string[]> {
  const paths = files.map(({ file }) => join(directory, file));
  for (const path of paths) {
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    if (there) throw usage(`${path} is there already`, "name another directory, or write other policies with --only");
  }
  await mkdir(directory, { recursive: true });
  // Should one appear in between, it is kept too.
  for (const [at, { text }] of files.entries()) await writeFile(paths[at] ?? directory, text, { flag: "wx" });
  return paths;
}

async function init({ io }: Cli, directory: string, flags: InitFlags): Promise<void> {
  const policies = chosen(await readStarterPack(), flags.only);
  const listed = policies.map(({ name, about, files }) => ({ name, about, files: files.map(({ file }) => file) }));
  if (flags.list) {
    if (flags.json) return printJson(io, { policies: listed });
    const rows = listed.map(({ name, about }) => [name, about]);
    for (const line of table([{ title: "POLICY" }, { title: "WHAT IT SAYS" }], rows)) io.out(line);
    return;
  }
  const written = await writeNew(
    directory,
    policies.flatMap(({ files }) => files),
  );
  if (flags.json) return printJson(io, { policies: listed, written });
  for (const path of written) io.out(`wrote ${path}`);
  io.out(`next: remit policy test ${directory}`);
}

/** `remit policy init`: policies to begin with. */
export function addPolicyInit(policy: Command, cli: Cli): void {
  const command = policy
    .command("init [dir]")
    .description("write the starter pack: tested policies to change, each with the attack that it stops")
    .option("--only <names>", "some of them, with commas between")
    .option("--list", "what there is; writes nothing")
    .option("--json", "for machines")
    .addHelpText("after", "\nA file that is there is never replaced. Without a directory it is policies/.")
    .action((directory: string | undefined, flags: InitFlags) => init(cli, directory ?? "policies", flags));
  examples(command, [
    ["what is in the pack?", "remit policy init --list"],
    ["mail and files, to be changed", "remit policy init policies/ --only mail,files"],
  ]);
}
