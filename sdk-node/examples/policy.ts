// Documents as code: `node policy.ts > policies.yaml && remit apply -f policies.yaml`.
import { defineBudget, defineGroup, definePolicy, defineTool } from "@remit/sdk";

const documents = [
  defineTool({
    name: "payments.transfer",
    risk: "write",
    inputSchema: { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] },
  }),
  defineGroup({ name: "finance-leads", members: ["ada@acme.com"] }),
  defineBudget({ name: "payouts", unit: "EUR", limit: "5000", window: "day", timeZone: "Europe/Berlin" }),
  definePolicy({
    name: "payments",
    owner: "finance",
    variables: { large: "input.amount > 500" },
    rules: [
      { id: "small", match: { tools: ["payments.transfer"] }, unless: "vars.large", effect: "allow" },
      {
        id: "large",
        match: { tools: ["payments.transfer"] },
        when: "vars.large",
        effect: "escalate",
        approval: { approvers: ["group:finance-leads"], expires: "30m" },
      },
    ],
  }),
];

for (const document of documents) console.log(`---\n${JSON.stringify(document)}`);
