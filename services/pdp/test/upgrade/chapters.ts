import { Outcome } from "@remit/proto/decision";
import type { Clients } from "./clients.ts";
import { applyTexts, storyDocuments } from "./documents.ts";
import { call, type Tale, type Teller } from "./teller.ts";

/** A month, the longest that a session may live. */
const LONG_SECONDS = 30 * 24 * 3600;

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const pay = (callId: string, amount: number, memo: string | null = "goods", supported = ["timeout"]) =>
  call(
    callId,
    "payments.transfer",
    { to: "Fjord Timber", amount, currency: "EUR", ...(memo !== null && { memo }) },
    { supportedConstraints: supported, estimate: [{ unit: "EUR", value: `${amount}.00` }] },
  );

const write = (callId: string, path: string, text = "done") => call(callId, "files.write", { path, text });

/** An input that stands beside its entry and not in it, though not by much: what is sealed does not compress. */
const longText = "Every line of this ledger is kept for as long as the law asks. ".repeat(135);

const now = "2026-03-02T12:00:00Z";
const ada = { id: "ada", membership: "gold", payment_methods: { visa: "credit_card" } };
const reservation = { id: "KX0007", user_id: "ada", cabin: "economy", checked_bags: 1, insured: true };
const lookUp = (callId: string, id = "KX0007") =>
  call(callId, "get_reservation_details", { reservation_id: id }, { context: context({ reservation }) });

function context(more: object) {
  return { case: "contextJson" as const, value: json({ now, user: ada, ...more }) };
}

const bags = (callId: string, total: number) =>
  call(
    callId,
    "update_reservation_baggages",
    { reservation_id: "KX0007", total_baggages: total, nonfree_baggages: 0, payment_id: "visa" },
    { context: context({ reservation }) },
  );

/** Every effect, and most of the codes that a denial can have. */
const bookkeeping = (prefix: string) => [
  call(`${prefix}-read`, "invoices.read", { id: "4711" }),
  pay(`${prefix}-pay`, 40),
  pay(`${prefix}-large`, 9000),
  pay(`${prefix}-middling`, 700),
  pay(`${prefix}-no-memo`, 41, null),
  pay(`${prefix}-cannot-honour`, 42, "goods", []),
  write(`${prefix}-inside`, "/workspace/a.txt"),
  write(`${prefix}-outside`, "/home/ada/b.txt"),
  write(`${prefix}-long`, "/home/ada/long.txt", longText),
  call(`${prefix}-delete`, "customers.delete", { filter: "inactive" }),
  call(`${prefix}-no-rule`, "files.list", {}),
  call(`${prefix}-unfit`, "invoices.read", { number: 1 }),
  call(`${prefix}-unknown`, "invoices.shred", {}),
  call(`${prefix}-beyond`, "send_certificate", { user_id: "ada", amount: 5 }),
];

const travelling = (prefix: string) => [
  lookUp(`${prefix}-look`),
  bags(`${prefix}-more-bags`, 2),
  bags(`${prefix}-fewer-bags`, 0),
  call(
    `${prefix}-nobodys`,
    "get_reservation_details",
    { reservation_id: "KX0007" },
    { context: context({ reservation: { id: "KX0007" } }) },
  ),
  call(`${prefix}-no-facts`, "cancel_reservation", { reservation_id: "KX0007" }),
  call(`${prefix}-another`, "get_user_details", { user_id: "otto" }, { context: context({}) }),
];

/** What the policies in force say to fresh calls. */
export const questions = (prefix: string) => ({ books: bookkeeping(prefix), flights: travelling(prefix) });

const ran = (answer: { decisionId: string; effectiveInputDigest: string }, outcome: Outcome = Outcome.SUCCEEDED) => ({
  subject: { case: "decisionId" as const, value: answer.decisionId },
  outcome,
  inputDigest: answer.effectiveInputDigest,
});

async function everyOutcome({ ask, report }: Teller, session: string, prefix: string): Promise<void> {
  const paid = await ask(session, pay(`${prefix}-paid`, 11));
  const actual = [{ unit: "EUR", value: "11.00" }];
  await report(session, { ...ran(paid), actual, labels: ["bank"], outputDigest: `sha256:${"ab".repeat(32)}` });
  await report(session, ran(await ask(session, pay(`${prefix}-failed`, 12)), Outcome.FAILED));
  await report(session, ran(await ask(session, pay(`${prefix}-not-run`, 13)), Outcome.NOT_EXECUTED));
  await report(session, ran(await ask(session, pay(`${prefix}-lost`, 14)), Outcome.UNKNOWN));
  await report(session, ran(await ask(session, pay(`${prefix}-at-work`, 15)), Outcome.RUNNING));
  const slow = await ask(session, pay(`${prefix}-slow`, 16));
  await report(session, ran(slow, Outcome.RUNNING));
  await report(session, ran(slow));
  const found = await ask(session, pay(`${prefix}-found-out`, 17));
  await report(session, ran(found, Outcome.UNKNOWN));
  await report(session, ran(found, Outcome.FAILED));
  const moved = await ask(session, write(`${prefix}-moved`, "/etc/motd"));
  await report(session, ran(moved));
  const other = await ask(session, pay(`${prefix}-another-input`, 18));
  await report(session, { ...ran(other), inputDigest: `sha256:${"cd".repeat(32)}` });
  await ask(session, pay(`${prefix}-by-call`, 19));
  await report(session, { subject: { case: "callId", value: `${prefix}-by-call` }, outcome: Outcome.SUCCEEDED });
  await report(session, { subject: { case: "callId", value: `${prefix}-never-came` }, outcome: Outcome.NOT_EXECUTED });
}

const listing = `apiVersion: remit/v1
kind: Tool
metadata: { name: files.list }
spec: { risk: read, labels: { system: files } }
`;

const leads = `apiVersion: remit/v1
kind: Group
metadata: { name: finance-leads }
spec: { members: [grace@example.com] }
`;

const monthly = `apiVersion: remit/v1
kind: Budget
metadata: { name: monthly_payments, owner: finance }
spec: { unit: EUR, limit: "100000.00", window: month, timeZone: Europe/Oslo, owner: tenant, enforcement: hard }
`;

/** The first day: everything is set up, and used. */
export async function firstDay(clients: Clients, tale: Tale, teller: Teller): Promise<void> {
  await applyTexts(clients, tale.keys.owner?.key ?? "", [...(await storyDocuments()), listing, leads, monthly]);
  await teller.key("checkout", ["bookkeeper"]);
  await teller.key("desk", ["airline-*"], ["diagnose"]);
  await teller.key("old-runner", ["*"]);
  const principal = { case: "principal" as const, value: { id: "ada", labels: { team: "finance" } } };
  const opening = { agent: "bookkeeper", onBehalfOf: principal, maxLifetimeSeconds: LONG_SECONDS };
  await teller.open("books", "checkout", { ...opening, runId: "run-1", purpose: "the invoices of the week" });
  await teller.open("flights", "desk", { ...opening, agent: "airline-agent" });
  await teller.open("forgotten", "old-runner", opening);
  await teller.open("narrow", "checkout", {
    ...opening,
    scope: {
      tools: ["payments.*"],
      bounds: [{ tool: "payments.*", path: "input.amount", limit: { case: "max", value: 20 } }],
    },
    labels: { batch: "night" },
    model: "some-model",
  });
  await teller.open("done", "checkout", opening);
  for (const request of bookkeeping("first")) await teller.ask("books", request);
  for (const request of travelling("first")) await teller.ask("flights", request);
  await teller.ask("narrow", pay("in-bounds", 19));
  await teller.ask("narrow", pay("out-of-bounds", 21));
  await teller.ask("forgotten", pay("nobody-looks", 5));
  await everyOutcome(teller, "books", "first");
  await teller.ask("done", pay("last", 3));
  await teller.close("done");
}

const secondPayments = (large: number, note: string) => `# ${note}
apiVersion: remit/v1
kind: Policy
metadata: { name: payments, owner: finance }
spec:
  variables:
    large: input.amount > ${large}
  rules:
    - id: pay
      match: { tools: [payments.transfer] }
      effect: allow
      constraints: { timeout: 20s }
    - id: large-needs-a-lead
      match: { tools: [payments.transfer] }
      when: vars.large
      effect: escalate
      approval: { approvers: ["group:finance-leads"], quorum: 2, expires: 1h }
    - id: say-what-for
      match: { tools: [payments.transfer] }
      unless: present(input.memo) || present(answers.memo)
      effect: clarify
      questions: [{ id: memo, type: string, ask: What is it for? }]
`;

const agent = (status: string) => `apiVersion: remit/v1
kind: Agent
metadata: { name: bookkeeper, owner: finance }
spec:
  status: ${status}
  labels: { team: finance, grade: senior }
  ceiling:
    tools: [invoices.*, payments.*, files.*, customers.*]
`;

/** The second day: policies move on and one comes back, another is only tried, a key is revoked, an agent rests for a while. */
export async function secondDay(clients: Clients, tale: Tale, teller: Teller): Promise<void> {
  const owner = tale.keys.owner?.key ?? "";
  await applyTexts(clients, owner, [secondPayments(600, "the second")]);
  for (const name of ["books", "flights"]) await teller.renew(name);
  for (const request of bookkeeping("second")) await teller.ask("books", request);
  await applyTexts(clients, owner, [secondPayments(5, "a mistake")]);
  await teller.ask("books", pay("under-the-mistake", 40));
  await clients.policies.activatePolicies({ choices: [{ policy: "payments", version: 2 }] }, teller.owner());
  await applyTexts(clients, owner, [secondPayments(800, "not yet in force")], { activate: false });
  // Tried beside what is in force, and called off.
  const tried = { choices: [{ policy: "payments", version: 4 }], shareBasisPoints: 10_000 };
  await clients.rollouts.startRollout(tried, teller.owner());
  await teller.ask("books", pay("tried", 700));
  await clients.rollouts.abortRollout({}, teller.owner());
  await applyTexts(clients, owner, [agent("suspended")]);
  await teller.ask("books", pay("suspended", 40));
  await applyTexts(clients, owner, [agent("active")]);
  await teller.revoke("old-runner");
  await everyOutcome(teller, "books", "second");
}

/** The third day: sessions that are alive when the service goes down, calls that nobody reported on. */
export async function thirdDay(teller: Teller): Promise<void> {
  for (const name of ["books", "flights", "narrow"]) await teller.renew(name);
  const principal = { case: "principal" as const, value: { id: "ada" } };
  await teller.open("today", "checkout", { agent: "bookkeeper", onBehalfOf: principal, runId: "run-2" });
  await teller.open("closed-today", "checkout", { agent: "bookkeeper", onBehalfOf: principal });
  for (const request of bookkeeping("third")) await teller.ask("today", request);
  await teller.askTogether("flights", travelling("third"));
  await everyOutcome(teller, "today", "third");
  await teller.ask("today", pay("to-be-reported", 21));
  await teller.ask("today", write("to-be-reported-too", "/etc/hosts"));
  await teller.ask("today", pay("to-be-reported-by-call", 22));
  await teller.ask("closed-today", pay("of-a-closed-session", 3));
  await teller.close("closed-today");
}
