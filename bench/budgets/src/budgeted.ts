import { fileURLToPath } from "node:url";
import type { ServeOptions } from "../../src/remit/serve.ts";
import { type RemitSubject, startRemit } from "../../src/remit/subject.ts";
import type { Bench } from "../../src/run/session.ts";
import { budgetedDocuments, levels } from "./documents.ts";
import { connectionsVariable } from "./locking/connections.ts";

const enough = "1000000000";
const instead = fileURLToPath(new URL("./locking/instead.ts", import.meta.url));

interface BudgetedOptions extends ServeOptions {
  readonly name?: string;
  /** Of the tenant's budget. */
  readonly limit?: string;
}

/** Starts the service with four budgets that all callers share, in the folder; throws when a call holds in fewer. */
export async function startBudgeted(
  { processes, cores }: Pick<Bench, "processes" | "cores">,
  folder: string,
  fillerBytes: number,
  { name = "four budgets", limit = enough, ...serving }: BudgetedOptions = {},
): Promise<RemitSubject> {
  const options = { name, documents: budgetedDocuments(limit), ...serving };
  const subject = await startRemit(processes, cores.server, folder, fillerBytes, options);
  if (subject.holds !== levels.length) throw new Error(`a measured call holds ${subject.holds} budgets, not 4`);
  return subject;
}

/** What starts the same service with each call's budgets locked in a transaction of its own, on one of the connections. */
export function lockingPerCall(connections: number): ServeOptions {
  return { preload: instead, env: { [connectionsVariable]: String(connections) } };
}
