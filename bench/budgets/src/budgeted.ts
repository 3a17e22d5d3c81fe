import { type RemitSubject, startRemit } from "../../src/remit/subject.ts";
import type { Bench } from "../../src/run/session.ts";
import { budgetedDocuments, levels } from "./documents.ts";

const enough = "1000000000";

/** Starts the service with four budgets that all callers share, in the folder; throws when a call holds in fewer. */
export async function startBudgeted(
  { processes, cores }: Pick<Bench, "processes" | "cores">,
  folder: string,
  fillerBytes: number,
  limit = enough,
): Promise<RemitSubject> {
  const options = { name: "four budgets", documents: budgetedDocuments(limit) };
  const subject = await startRemit(processes, cores.server, folder, fillerBytes, options);
  if (subject.holds !== levels.length) throw new Error(`a measured call holds ${subject.holds} budgets, not 4`);
  return subject;
}
