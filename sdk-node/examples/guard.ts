// Guards a call without binding a tool, and writes only where the policy lets it: the input that runs may not be the
// one that was asked about.
import { createClient } from "@remit/sdk";

const remit = createClient();
await remit.ready();
const session = await remit.openSession({ agent: "bookkeeper", principal: { id: "ada@acme.example" } });

const call = { tool: "files.write", input: { path: "/etc/passwd", text: "hello" } };
const written = await remit.guard(session, call, (input, { decision, signal }) => {
  signal.throwIfAborted();
  console.log(`${decision.effect}: asked for ${call.input.path}, may write ${input.path}`);
  return `${input.text.length} characters to ${input.path}`;
});
console.log(`wrote ${written}`);

// The same by hand: ask, look, report.
const decision = await remit.decide(session, { tool: "invoices.read", input: { id: "2041" } });
if (decision.effect === "allow") {
  const startedAt = new Date();
  console.log(`read invoice ${JSON.stringify(decision.input)}`);
  const { decisionId, effectiveInputDigest: inputDigest } = decision;
  const told = await remit.report(session, { decisionId, outcome: "succeeded", inputDigest, startedAt });
  console.log(`reported: ${told.outcome}, the input ${told.inputMatches ? "matches" : "differs"}`);
}

await session.close();
await remit.close();
