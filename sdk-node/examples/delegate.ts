// Hands a part of the work to another agent: for the same person, with less than its own agent may do, and recorded as
// a chain. What ends the first session ends this one too.
import { createClient, DeniedError, RemitError } from "@remit/sdk";

const remit = createClient();
await remit.ready();
const planner = await remit.openSession({
  agent: "bookkeeper",
  principal: { id: "ada@acme.example" },
  scope: { tools: ["payments.*", "invoices.read"], maxDepth: 1 },
});

const payer = await planner.delegate({
  agent: "payer",
  purpose: "pay the bill of the caterer",
  scope: { tools: ["payments.transfer"], bounds: [{ tool: "payments.*", path: "input.amount", max: 50 }] },
});
const pay = remit.tool("payments.transfer", (input: { amount: number; currency: string; to: string; memo: string }) => {
  return `paid ${input.amount} ${input.currency}`;
});
console.log(await pay(payer, { amount: 40, currency: "EUR", to: "caterer", memo: "lunch" }));
try {
  await pay(payer, { amount: 60, currency: "EUR", to: "caterer", memo: "lunch" });
} catch (error) {
  if (!(error instanceof DeniedError)) throw error;
  console.log(`denied (${error.code}): ${error.message}`);
}

// More than it has, it cannot hand over.
try {
  await planner.delegate({ agent: "payer", scope: { tools: ["records.delete"] } });
} catch (error) {
  if (!(error instanceof RemitError)) throw error;
  console.log(`refused (${error.reason}): ${error.message}`);
}

await planner.close();
await remit.close();
