import { type Client, DeniedError, type Session } from "@remit/sdk";
import type { Clients } from "../clients.ts";
import type { Paint } from "../paint.ts";

/** The budget of the demo's documents that covers refunds, and what it is raised to. */
const BUDGET = "refunds";
const RAISED = "200";

const REFUND = 40;
/** More than any breaker lets through of one and the same call. */
const READS_MAX = 50;

/** What becomes of a call, in a word: its code when it does not run. */
async function asked(client: Client, session: Session, tool: string, input: object, done: string): Promise<string> {
  try {
    await client.guard(session, { tool, input }, () => done);
    return `ALLOW: ${done}`;
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    return `DENY, ${error.code}: ${error.message}`;
  }
}

/** A budget that runs out, is raised, and goes on. */
async function refunds(
  client: Client,
  { budget }: Pick<Clients, "budget">,
  session: Session,
  out: (line: string) => void,
  paint: Paint,
): Promise<void> {
  const left = async () => {
    const { budget: shown } = await budget.getBudget({ name: BUDGET });
    const { account, limit } = shown ?? {};
    return `${account?.free ?? limit?.value} of ${account?.limit ?? limit?.value} ${limit?.unit} left`;
  };
  const refund = async (customer: string) => {
    const input = { customer, amount: REFUND };
    const what = await asked(client, session, "refunds.pay", input, `${REFUND} EUR given back`);
    await client.flush();
    out(`   refunds ${REFUND} EUR  ${await left()}  ${what}`);
  };
  out(`\n${paint.bold(`It gives money back, from a budget: ${await left()}.`)}`);
  for (const customer of ["c-1", "c-2", "c-3"]) await refund(customer);
  out(`\n${paint.bold("An operator raises it.")}  remit budgets raise ${BUDGET} --to ${RAISED} --reason "the sale"`);
  await budget.raiseBudget({ budget: BUDGET, limit: { unit: "EUR", value: RAISED }, reason: "the sale" });
  await refund("c-3");
}

/** The same call again and again, until it is stopped. */
async function loop(client: Client, session: Session, out: (line: string) => void, paint: Paint): Promise<void> {
  out(`\n${paint.bold("It forgets what it has read, and reads the same invoice again and again.")}`);
  for (let reads = 0; reads < READS_MAX; reads++) {
    const answer = await asked(client, session, "invoices.read", { id: "1999" }, "read");
    if (answer.startsWith("ALLOW")) continue;
    return out(`   read ${reads} times, then  ${answer}`);
  }
  throw new Error("a loop was not stopped");
}

/** What an agent may spend, and what stops one that does not stop by itself. */
export async function tellSpending(
  client: Client,
  clients: Pick<Clients, "budget">,
  session: Session,
  out: (line: string) => void,
  paint: Paint,
): Promise<void> {
  await refunds(client, clients, session, out, paint);
  await loop(client, session, out, paint);
}
