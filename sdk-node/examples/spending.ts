// Spends from a budget: what a call may cost is held before it runs, what it did cost is counted, and a call that does not
// fit is denied with a code that the agent can act on.
import { createClient, DeniedError } from "@remit/sdk";

interface Refund {
  readonly customer: string;
  readonly amount: number;
}

const eur = (amount: number) => ({ unit: "EUR", value: String(amount) });

const remit = createClient();
await remit.ready();
const session = await remit.openSession({ agent: "bookkeeper", principal: { id: "ada@acme.example" } });

const refund = remit.tool(
  "refunds.pay",
  async ({ customer, amount }: Refund, run) => {
    // The bank took a coin less than was asked for: what is not said here is taken to have cost what was held.
    run.cost(eur(amount - 1));
    return `gave ${customer} ${amount - 1} EUR back`;
  },
  { estimate: ({ amount }) => [eur(amount)] },
);

for (const call of [
  { customer: "c-1", amount: 61 },
  { customer: "c-2", amount: 41 },
  { customer: "c-2", amount: 40 },
]) {
  try {
    console.log(await refund(session, call));
  } catch (error) {
    if (!(error instanceof DeniedError) || error.code !== "budget_exhausted") throw error;
    console.log(`denied (${error.code}): ${call.amount} EUR do not fit`);
  }
  // What a call gave back is free once its report has been taken.
  await remit.flush();
}

await session.close();
await remit.close();
