import { createClient, DeniedError } from "@remit/sdk";
import { callContext, callInput } from "../../src/echo/messages.ts";
import { clientsOf } from "../../src/remit/clients.ts";
import { benchAgentName, benchTool } from "../../src/remit/payments.ts";
import type { RemitSubject } from "../../src/remit/subject.ts";

/** What became of calls of one euro that raced for a budget with less than all of them would spend. */
export interface LastUnit {
  readonly limit: string;
  readonly callers: number;
  /** Since the budget was declared, the call that was made to look at the service included. */
  readonly allowed: number;
  readonly exhausted: number;
  /** Of the books: what is held and posted of the limit, in its unit. */
  readonly booked: string;
  readonly overspent: boolean;
}

/** Callers that ask side by side until each was refused: exactly as many calls are allowed as the limit has euros. */
export async function raceForTheLast(subject: RemitSubject, limit: number, callers: number): Promise<LastUnit> {
  const { served, credentials } = subject;
  const client = createClient({
    ...{ address: `127.0.0.1:${served.grpcPort}`, key: credentials.callerKey, log: () => {} },
    ...{ supportedConstraints: ["maxOutputBytes"], deadlineMs: 10_000 },
  });
  const sessions = await Promise.all(
    Array.from({ length: 4 }, (_, i) => client.openSession({ agent: benchAgentName, principal: { id: `racer-${i}` } })),
  );
  let allowed = 1;
  let exhausted = 0;
  const race = async (caller: number) => {
    const session = sessions[caller % sessions.length];
    if (session === undefined) throw new Error("no session to ask in");
    const call = { tool: benchTool, input: callInput(0), context: callContext };
    for (let asked = 0; asked <= limit; asked += 1) {
      try {
        await client.guard(session, call, async () => ({ ok: true }));
        allowed += 1;
      } catch (error) {
        if (!(error instanceof DeniedError)) throw error;
        if (error.code === "budget_exhausted") {
          exhausted += 1;
          return;
        }
        if (error.code !== "budget_unavailable") throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => race(caller)));
  await client.close();
  const { budgets } = await clientsOf(served, served.ownerKey).budget.listBudgets({});
  const account = budgets.find(({ name }) => name === "tenant")?.account;
  if (!account) throw new Error("nothing was booked");
  const { held, spent, over } = account;
  return {
    ...{ limit: String(limit), callers, allowed, exhausted },
    booked: `${spent} spent, ${held} held`,
    overspent: allowed > limit || Number(over || "0") > 0,
  };
}
