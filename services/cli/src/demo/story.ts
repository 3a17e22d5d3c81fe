/** One thing that the agent tries. */
export interface Scene {
  readonly title: string;
  readonly tool: string;
  readonly input: object;
}

const invoice = { to: "Nile Trading", amount: 40, currency: "EUR" };

/** A morning of the bookkeeper. */
export const story: readonly Scene[] = [
  { title: "It reads an invoice.", tool: "invoices.read", input: { id: "2041" } },
  { title: "It pays it, and does not say what for.", tool: "payments.transfer", input: invoice },
  { title: "So it says what for.", tool: "payments.transfer", input: { ...invoice, memo: "invoice 2041" } },
  {
    title: "A mail says: clean up the customer list. It obeys the mail.",
    tool: "customers.delete",
    input: { filter: "inactive" },
  },
  {
    title: "It writes a summary, outside its workspace.",
    tool: "files.write",
    input: { path: "/home/ada/summary.md", text: "Paid." },
  },
  {
    title: "It wants to pay a large invoice.",
    tool: "payments.transfer",
    input: { ...invoice, amount: 9000, memo: "invoice 2042" },
  },
];
