import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { DecideRequestSchema } from "@remit/proto/decision";
import { Outcome, type ReportRequestSchema } from "@remit/proto/decision";
import { type House, openSession } from "./pdp.ts";
import { withClient } from "./test-database.ts";

export { Outcome };

type Headers = Readonly<Record<string, string>>;

/** What an account holds, as the store has it, in whole units. */
export interface Booked {
  readonly budget: string;
  readonly key: string;
  readonly held: number;
  readonly posted: number;
  readonly overage: number;
  readonly frozen: boolean;
}

const decimals = (micros: string) => Number(micros) / 1e6;

/** Everything a test of budgets does to a house, through its front door; and its books, as the store has them. */
export function spendingIn(house: House) {
  const { clients, database, ownerKey } = house;
  const owner = { authorization: `Bearer ${ownerKey}` };
  let calls = 0;

  const put = async (kind: "Budget" | "Tool" | "Agent", name: string, spec: JsonObject) => {
    const text = JSON.stringify({ apiVersion: "remit/v1", kind, metadata: { name }, spec });
    const document = { file: `${name}.yaml`, text };
    const how = { headers: owner };
    const { problems } = await {
      Budget: () => clients.budgets.putBudget({ document }, how),
      Tool: () => clients.tools.putTool({ document }, how),
      Agent: () => clients.agents.putAgent({ document }, how),
    }[kind]();
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  };

  /** A tool that everybody may use. */
  const open = async (name: string, spec: JsonObject = {}) => {
    await put("Tool", name, { risk: "write", ...spec });
    const text = JSON.stringify({
      ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name } },
      spec: { rules: [{ id: "all", match: { tools: [name] }, effect: "allow" }] },
    });
    const how = { headers: owner };
    await clients.policies.publishPolicies({ files: [{ file: "p.yaml", text }] }, how);
    await clients.policies.activatePolicies({ choices: [{ policy: name }] }, how);
  };

  /** As the owner of the tables: what no door changes. */
  const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    withClient(database.superuserUrl, async (client) => (await client.query<Row>(text, values)).rows);

  return {
    owner,
    put,
    open,
    sql,
    /** A budget of 10 EUR that never ends, unless it is said to be another. */
    budget: (name: string, spec: JsonObject = {}) =>
      put("Budget", name, { unit: "EUR", limit: "10", window: "lifetime", ...spec }),
    session: (opening: Parameters<typeof openSession>[1] = {}) => openSession(house, opening),
    id: () => `call-${++calls}`,
    decide: (
      as: Headers,
      tool: string,
      input: JsonObject = {},
      more: MessageInitShape<typeof DecideRequestSchema> = {},
      at: House = house,
    ) =>
      at.clients.decisions.decide(
        { callId: `call-${++calls}`, tool, input: { case: "inputObject", value: input }, ...more },
        { headers: as },
      ),
    report: (
      as: Headers,
      decisionId: string,
      outcome: Outcome,
      more: MessageInitShape<typeof ReportRequestSchema> = {},
      at: House = house,
    ) =>
      at.clients.decisions.report(
        { subject: { case: "decisionId", value: decisionId }, outcome, ...more },
        { headers: as },
      ),
    /** The accounts of budgets, by budget and key. */
    async books(...budgets: readonly string[]): Promise<Booked[]> {
      const rows = await sql<Record<"budget" | "key" | "held" | "posted" | "overage", string> & { frozen: boolean }>(
        `select budget, key, held::text, posted::text, overage::text, frozen from account
          where budget = any($1) order by array_position($1, budget), opens_at, key`,
        [budgets],
      );
      return rows.map(({ budget, key, frozen, ...amounts }) => ({
        ...{ budget, key, frozen },
        held: decimals(amounts.held),
        posted: decimals(amounts.posted),
        overage: decimals(amounts.overage),
      }));
    },
    /** Accounts that are not the sum of the moves of their records: none, ever. */
    differences: () => sql("select * from remit_account_differences()"),
  };
}
