import { type Client, DeniedError, type Session } from "@remit/sdk";
import type { Clients } from "../clients.ts";
import type { Paint } from "../paint.ts";
import { demoPayment } from "./tenant.ts";

/** Whom the bookkeeper hands payments to, and the most that one of them may be. */
const PAYER = "payer";
const MOST = 50;

/** What becomes of a payment, in a line. */
async function payment(client: Client, session: Session, amount: number): Promise<string> {
  const input = { ...demoPayment, amount };
  const asked = `pays ${amount} ${input.currency}`.padEnd(13);
  try {
    const sent = await client.guard(session, { tool: "payments.transfer", input }, () => `${amount} EUR sent`);
    return `   ${asked} ALLOW: ${sent}`;
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    return `   ${asked} DENY, ${error.code}: ${error.message}`;
  }
}

/** A session hands work on with less than it has; then it is revoked, and what it handed on ends with it. */
export async function tellHandingOn(
  client: Client,
  { revocation }: Pick<Clients, "revocation">,
  session: Session,
  out: (line: string) => void,
  paint: Paint,
): Promise<void> {
  out(`\n${paint.bold(`It hands payments of at most ${MOST} to another agent, for Ada as well.`)}`);
  const scope = { tools: ["payments.*"], bounds: [{ tool: "payments.*", path: "input.amount", max: MOST }] };
  const payer = await session.delegate({ agent: PAYER, scope, purpose: "the small invoices" });
  out(await payment(client, payer, 40));
  out(await payment(client, payer, 60));
  out(`\n${paint.bold("An operator revokes the bookkeeper's session.")}  remit revoke session ${session.id}`);
  await revocation.revoke({ subject: { subject: { case: "session", value: session.id } }, reason: "the demo ends" });
  out(await payment(client, payer, 40));
}
