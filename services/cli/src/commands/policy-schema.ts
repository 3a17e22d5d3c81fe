import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";

async function printSchema(cli: Cli, kind: string | undefined): Promise<void> {
  const { documentSchemas, everyDocumentSchema } = await loadEngine();
  if (kind === undefined) return printJson(cli.io, everyDocumentSchema());
  const schemas = documentSchemas();
  const name = Object.keys(schemas).find((one) => one.toLowerCase() === kind.toLowerCase());
  const schema = name && schemas[name];
  if (!schema) throw usage(`no kind of document is called ${kind}`, `one of ${Object.keys(schemas).join(", ")}`);
  printJson(cli.io, schema);
}

/** `remit policy schema`. */
export function addPolicySchema(policy: Command, cli: Cli): void {
  const command = policy
    .command("schema [kind]")
    .description("the JSON Schema of a kind of document, or of them all, for editors")
    .action((kind?: string) => printSchema(cli, kind));
  examples(command, [
    ["complete and check while writing", "remit policy schema > remit.schema.json"],
    ["one kind", "remit policy schema Policy"],
  ]);
}
