// Binds a tool once and calls it for a session. Start `npm start` in another terminal, export the key that it
// prints as REMIT_API_KEY, and run this file.
import { createClient, DeniedError } from "@remit/sdk";

interface Transfer {
  to: string;
  amount: number;
  currency: "EUR" | "USD";
  memo?: string;
}

const remit = createClient();
// Nothing has been sent so far; whatever is wrong with the address or the key comes to light here.
await remit.ready();

const transfer = remit.tool(
  "payments.transfer",
  async (input: Transfer, { idempotencyKey, cost }) => {
    // A bank that is handed the key does nothing twice.
    cost({ unit: input.currency, value: input.amount.toFixed(2) });
    return { reference: `bank-${idempotencyKey.slice(0, 8)}`, paid: input.amount };
  },
  { estimate: (input) => [{ unit: input.currency, value: input.amount.toFixed(2) }] },
);

const session = await remit.openSession({
  agent: "bookkeeper",
  principal: { id: "ada@acme.example" },
  purpose: "paying invoice 2041",
});

const paid = await transfer(session, { to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" });
console.log(`paid ${paid.paid} EUR`);

const drop = remit.tool("customers.delete", (_: { filter: string }) => "gone");
try {
  await drop(session, { filter: "all" });
} catch (error) {
  if (!(error instanceof DeniedError)) throw error;
  // The message is written for the model; the id is for `remit why`.
  console.log(`denied (${error.code}): ${error.message}`);
  console.log(`remit why ${error.decisionId}`);
}

await session.close();
await remit.close();
