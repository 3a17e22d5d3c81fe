import { readdir, readFile } from "node:fs/promises";
import { type House, startHouse } from "../../../services/pdp/test/support/pdp.ts";

const documents = new URL("../../../services/cli/src/demo/documents/", import.meta.url);

/** The documents of the demo, one a text, by kind. */
async function readDocuments(): Promise<{ kind: string; file: string; text: string }[]> {
  const files = (await readdir(documents)).filter((file) => file.endsWith(".yaml"));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, documents), "utf8")));
  return files.flatMap((file, at) =>
    (texts[at] ?? "").split(/^---$/m).map((text) => ({ kind: /^kind: (\w+)$/m.exec(text)?.[1] ?? "", file, text })),
  );
}

/** A service of its own with the demo's agent, tools and policies in force. */
export async function startDemoHouse(options: Parameters<typeof startHouse>[0] = {}): Promise<House> {
  const house = await startHouse(options);
  const { agents, tools, budgets, policies } = house.clients;
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  const all = await readDocuments();
  const files = all.filter(({ kind }) => kind === "Policy");
  for (const document of all.filter(({ kind }) => kind === "Tool")) await tools.putTool({ document }, { headers });
  for (const document of all.filter(({ kind }) => kind === "Agent")) await agents.putAgent({ document }, { headers });
  for (const document of all.filter(({ kind }) => kind === "Budget"))
    await budgets.putBudget({ document }, { headers });
  const { versions } = await policies.publishPolicies({ files }, { headers });
  await policies.activatePolicies({ choices: versions.map(({ policy }) => ({ policy })) }, { headers });
  return house;
}
