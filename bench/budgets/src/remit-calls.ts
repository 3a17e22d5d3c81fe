import { callInput, decideJson } from "../../src/echo/messages.ts";
import { takenPlaceholder } from "../../src/load/steps.ts";
import { clientsOf } from "../../src/remit/clients.ts";
import { benchTool } from "../../src/remit/payments.ts";
import type { RemitSubject } from "../../src/remit/subject.ts";
import { decidePath } from "../../src/run/lane-target.ts";
import type { Booked, PairedCalls } from "./booked.ts";
import { levels } from "./documents.ts";

const amount = { unit: "EUR", value: "1" };

/** The measured call in JSON: a Decide that holds, and the Report that says what was spent. */
export function remitCalls({ credentials }: RemitSubject, fillerBytes: number): PairedCalls {
  const decide = {
    path: decidePath,
    body: Buffer.from(decideJson(benchTool, callInput(fillerBytes))).toString("utf8"),
    expect: { effect: "EFFECT_ALLOW", holds: levels.map(() => ({ amount })) },
    take: "decisionId",
  };
  const report = {
    path: "/remit.v1.DecisionService/Report",
    body: JSON.stringify({ decisionId: takenPlaceholder, outcome: "OUTCOME_SUCCEEDED", actual: [amount] }),
    expect: { outcome: "OUTCOME_SUCCEEDED", inputMatches: true },
  };
  const inSessions = (...steps: PairedCalls["held"][number]["steps"]) =>
    credentials.sessionTokens.map((token) => ({
      headers: { authorization: `Bearer ${credentials.callerKey}`, "remit-session": token },
      steps,
    }));
  return { held: inSessions(decide), settled: inSessions(decide, report) };
}

/** What the four budgets say is held and spent, in calls of one euro. */
export async function remitBooked({ served }: RemitSubject): Promise<Booked[]> {
  const { budgets } = await clientsOf(served, served.ownerKey).budget.listBudgets({});
  return budgets.map(({ name, account }) => ({
    level: name,
    calls: Number(account?.spent ?? Number.NaN) + Number(account?.held ?? Number.NaN),
    overspent: Number(account?.over || "0") > 0,
  }));
}
