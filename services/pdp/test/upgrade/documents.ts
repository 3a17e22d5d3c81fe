import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Problem_Severity } from "@remit/proto/common";
import { type Clients, speaks } from "./clients.ts";

const cli = new URL("../../../cli/", import.meta.url);
const demo = new URL("src/demo/documents/", cli);
const airline = new URL("examples/airline/airline.yaml", cli);

/** The documents of the demo and of the airline's example, one text each. */
export async function storyDocuments(): Promise<string[]> {
  const names = (await readdir(fileURLToPath(demo))).sort();
  const files = await Promise.all(
    [...names.map((name) => new URL(name, demo)), airline].map((url) => readFile(url, "utf8")),
  );
  return files.flatMap((text) => text.split(/^---$/m));
}

/** Warnings are for people: what a text means does not depend on them. */
const accept = (problems: readonly { severity: Problem_Severity; message: string }[]): void => {
  const errors = problems.filter(({ severity }) => severity === Problem_Severity.ERROR);
  if (errors.length > 0) throw new Error(`refused: ${errors.map(({ message }) => message).join("; ")}`);
};

/** Registers documents of every kind; policies are published and put in force unless told otherwise. */
export async function applyTexts(
  clients: Pick<Clients, "agents" | "tools" | "policies" | "budgets" | "groups">,
  key: string,
  texts: readonly string[],
  { activate = true } = {},
): Promise<void> {
  const by = { headers: speaks(key) };
  const of = (kind: string) => texts.filter((text) => new RegExp(`^kind: ${kind}$`, "m").test(text));
  for (const text of of("Tool"))
    accept((await clients.tools.putTool({ document: { file: "tool", text } }, by)).problems);
  for (const text of of("Agent"))
    accept((await clients.agents.putAgent({ document: { file: "agent", text } }, by)).problems);
  for (const text of of("Group"))
    accept((await clients.groups.putGroup({ document: { file: "group", text } }, by)).problems);
  for (const text of of("Budget"))
    accept((await clients.budgets.putBudget({ document: { file: "budget", text } }, by)).problems);
  const files = of("Policy").map((text) => ({ file: "policy", text }));
  if (files.length === 0) return;
  const { versions, problems } = await clients.policies.publishPolicies({ files }, by);
  accept(problems);
  if (!activate) return;
  const choices = versions.map(({ policy, version }) => ({ policy, version }));
  await clients.policies.activatePolicies({ choices }, by);
}
