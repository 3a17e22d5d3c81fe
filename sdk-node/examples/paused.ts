// A call that waits for a person is put away as JSON and asked again later, here or in another process.
import { createClient, PausedError, readPausedCall } from "@remit/sdk";

const remit = createClient();
await remit.ready();
const session = await remit.openSession({ agent: "bookkeeper", principal: { id: "ada@acme.example" } });

const transfer = remit.tool(
  "payments.transfer",
  (input: { to: string; amount: number; currency: string; memo: string }) => {
    return `paid ${input.amount} ${input.currency}`;
  },
);

let stored = "";
try {
  await transfer(session, { to: "Nile Trading", amount: 900, currency: "EUR", memo: "invoice 2042" });
} catch (error) {
  if (!(error instanceof PausedError)) throw error;
  stored = JSON.stringify(error.paused);
  console.log(`paused (${error.paused.effect}): ${error.message}`);
}

// Later. In another process, `remit.adoptSession(paused.sessionId)` takes the session over.
try {
  console.log(await transfer.resume(session, readPausedCall(JSON.parse(stored))));
} catch (error) {
  if (!(error instanceof PausedError)) throw error;
  console.log(`still paused: the same decision, ${error.paused.decisionId.length > 0 ? "asked again" : "lost"}`);
}

await session.close();
await remit.close();
