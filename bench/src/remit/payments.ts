import type { SeedDocuments } from "./seed.ts";

export const benchAgentName = "bench";
export const benchTool = "payments.transfer";

const text = { type: "string" };

const inputSchema = {
  type: "object",
  properties: {
    account: text,
    amount: { type: "number", exclusiveMinimum: 0 },
    country: text,
    memo: text,
    lines: text,
  },
  required: ["account", "amount", "country"],
  additionalProperties: false,
};

const contextSchema = {
  type: "object",
  properties: {
    channel: text,
    user: { type: "object", properties: { id: text, tier: text } },
    ip: text,
  },
};

/** A policy that a finance team would write; the measured call is allowed by its first rule, and none of the others stops it. */
const policy = {
  apiVersion: "remit/v1",
  kind: "Policy",
  metadata: { name: "payments", owner: "finance" },
  spec: {
    variables: { large: "input.amount > 500", trusted: 'context.user.tier in ["gold", "platinum"]' },
    rules: [
      {
        id: "small-transfers",
        match: { tools: ["payments.transfer"] },
        when: "vars.trusted",
        unless: 'vars.large || "untrusted" in session.labels',
        effect: "allow",
        constraints: { timeout: "10s" },
      },
      {
        id: "large-transfers",
        match: { tools: ["payments.*"] },
        when: "vars.large",
        effect: "escalate",
        approval: { approvers: ["group:finance-leads"], quorum: 2, expires: "15m" },
      },
      {
        id: "say-why",
        match: { tools: ["payments.transfer"] },
        unless: "present(input.memo) || present(answers.memo)",
        effect: "clarify",
        questions: [{ id: "memo", type: "string", ask: "What is this payment for?" }],
      },
      {
        id: "never-abroad",
        match: { tools: ["payments.transfer"] },
        when: 'input.country != "DE"',
        effect: "deny",
        message: "Transfers stay in Germany.",
      },
      {
        id: "chat-stays-small",
        match: { risk: ["write"] },
        when: 'context.channel == "chat" && input.amount > 2000',
        effect: "deny",
      },
    ],
  },
};

/** What the measured Decide is judged by. */
export const paymentsDocuments: SeedDocuments = {
  tools: [
    {
      apiVersion: "remit/v1",
      kind: "Tool",
      metadata: { name: benchTool },
      spec: { risk: "write", inputSchema, contextSchema },
    },
  ],
  agent: {
    apiVersion: "remit/v1",
    kind: "Agent",
    metadata: { name: benchAgentName, owner: "bench" },
    spec: { labels: { team: "finance" }, ceiling: { tools: ["payments.*"] } },
  },
  policies: [policy],
};
