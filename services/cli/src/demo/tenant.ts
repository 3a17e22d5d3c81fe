import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cli } from "../cli.ts";
import { type Clients, connectClients } from "../clients.ts";
import { readDocumentFiles, separate } from "../document-files.ts";
import { printProblems, refuses } from "../problems.ts";
import { applyDocuments } from "../publish.ts";
import type { RunningPdp } from "../service.ts";
import { exitCodes, Stop } from "../stop.ts";

/** What is needed to ask the demo tenant something. */
export interface DemoTenant {
  /** An API key. */
  readonly key: string;
  readonly sessionToken: string;
}

export const DEMO_AGENT = "bookkeeper";
export const DEMO_PRINCIPAL = "ada@acme.example";
const KEY_FILE = "demo-key";

/** A payment that passes. */
export const demoPayment = { to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" };

/** The documents of the demo. */
export const demoDocuments = fileURLToPath(new URL("./documents/", import.meta.url));

/** Registers the demo's tools and agent and puts its policies in force; the same again changes nothing. */
export async function seedDemo(cli: Pick<Cli, "io">, clients: Clients): Promise<void> {
  const files = (await readDocumentFiles(cli.io, [demoDocuments], "the demo")).documents;
  const seeded = await applyDocuments(clients, await separate(files), { dryRun: false, strict: false, activate: true });
  if (!refuses(seeded.problems, false)) return;
  await printProblems(cli.io, seeded.problems);
  throw new Stop(exitCodes.no, "the service refused the demo's documents");
}

/**
 * The key that the demo speaks with. The first start gives one, which is kept beside the embedded Postgres for the next
 * start: whoever may read it may read the Postgres as well.
 */
async function demoKey(cli: Cli, pdp: RunningPdp, dataDir: string): Promise<string> {
  const file = join(dataDir, KEY_FILE);
  if (pdp.bootstrapKey !== undefined) {
    await mkdir(dataDir, { recursive: true });
    await writeFile(file, pdp.bootstrapKey, { mode: 0o600 });
    return pdp.bootstrapKey;
  }
  const { REMIT_API_KEY: given = "" } = cli.io.env;
  if (given !== "") return given;
  try {
    return (await readFile(file, "utf8")).trim();
  } catch {
    const fix = "export REMIT_API_KEY with the owner's key of its first start, or take another --data-dir";
    throw new Stop(exitCodes.usage, `the service in ${dataDir} was first started without --demo`, fix);
  }
}

/** Seeds a running service and opens a session on it. */
export async function openDemo(cli: Cli, pdp: RunningPdp, dataDir: string): Promise<DemoTenant> {
  const key = await demoKey(cli, pdp, dataDir);
  const clients = connectClients({ address: pdp.grpcAddress, adminAddress: pdp.adminAddress, apiKey: key });
  await seedDemo(cli, clients);
  const { token } = await clients.session.openSession({
    agent: DEMO_AGENT,
    onBehalfOf: { case: "principal", value: { id: DEMO_PRINCIPAL } },
    purpose: "trying Remit",
  });
  return { key, sessionToken: token };
}

/** A command that asks the demo tenant for one decision, whole. */
export function demoCurl(httpAddress: string, { key, sessionToken }: DemoTenant): string {
  const call = {
    callId: `try-${randomUUID().slice(0, 8)}`,
    tool: "payments.transfer",
    input: demoPayment,
    supportedConstraints: ["timeout"],
  };
  return [
    `  curl -s http://${httpAddress}/remit.v1.DecisionService/Decide \\`,
    `    -H 'content-type: application/json' \\`,
    `    -H 'authorization: Bearer ${key}' \\`,
    `    -H 'remit-session: ${sessionToken}' \\`,
    `    -d '${JSON.stringify(call)}'`,
  ].join("\n");
}
