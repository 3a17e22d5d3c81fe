/** One call as every engine is asked about it. */
export interface Asked {
  readonly tool: string;
  readonly input: Readonly<Record<string, string | number>>;
  readonly role: string;
  readonly untrusted: boolean;
  readonly verified: boolean;
}

/** The same rules in three languages, and calls of which at least one is allowed and one denied. */
export interface PolicySet {
  readonly name: string;
  readonly title: string;
  /** Rules of a native policy, as YAML in flow style or JSON. */
  readonly rules: readonly object[];
  readonly tools: readonly string[];
  /** Rego's package; its source where no bundle of it is carried. */
  readonly rego: string;
  readonly regoSource?: () => string;
  readonly cedar: string;
  readonly calls: readonly Asked[];
}

const call = (tool: string, input: Asked["input"] = {}, more: Partial<Asked> = {}): Asked => ({
  ...{ tool, input, role: "viewer", untrusted: false, verified: true },
  ...more,
});

const grants: Readonly<Record<string, readonly string[]>> = {
  admin: ["doc.read", "doc.write", "doc.delete", "doc.share", "audit.read"],
  editor: ["doc.read", "doc.write", "doc.share"],
  auditor: ["doc.read", "audit.read"],
  viewer: ["doc.read"],
};

const actions = (tools: readonly string[]) => `[${tools.map((tool) => `Action::"${tool}"`).join(", ")}]`;

const rbac: PolicySet = {
  name: "rbac",
  title: "RBAC: 4 roles, 5 tools",
  tools: grants.admin ?? [],
  rules: Object.entries(grants).map(([role, tools]) => ({
    ...{ id: role, match: { tools }, when: `agent.labels.role == "${role}"`, effect: "allow" },
  })),
  rego: "rbac",
  cedar: Object.entries(grants)
    .map(
      ([role, tools]) =>
        `permit (principal, action in ${actions(tools)}, resource) when { principal.role == "${role}" };`,
    )
    .join("\n"),
  calls: ["admin", "editor", "auditor", "viewer", "guest"].flatMap((role) =>
    (grants.admin ?? []).map((tool) => call(tool, {}, { role })),
  ),
};

const allow = (id: string, tool: string, when: string) => ({ id, match: { tools: [tool] }, when, effect: "allow" });
const deny = (id: string, tool: string, when: string) => ({ id, match: { tools: [tool] }, when, effect: "deny" });
const cedarRule = (effect: "permit" | "forbid", tool: string, when: string) =>
  `${effect} (principal, action == Action::"${tool}", resource) when { ${when} };`;

const agents: PolicySet = {
  name: "agents",
  title: "agent rules: 10 rules with conditions on arguments",
  tools: ["payments.transfer", "mail.send", "fs.write", "orders.refund", "http.get", "search.query"],
  rules: [
    allow("pay", "payments.transfer", 'input.cents <= 50000 && input.country in ["DE", "AT"]'),
    deny("tainted", "payments.transfer", '"untrusted" in session.labels'),
    allow("mail", "mail.send", 'input.domain in ["acme.com", "acme.de"]'),
    deny("attached", "mail.send", "input.attachments > 3"),
    allow("write", "fs.write", 'input.path.startsWith("/workspace/")'),
    deny("climb", "fs.write", 'input.path.contains("..")'),
    allow("refund", "orders.refund", "input.cents <= input.total && input.total <= 100000"),
    allow("get", "http.get", 'input.host == "api.acme.com"'),
    { id: "search", match: { tools: ["search.query"] }, effect: "allow" },
    { id: "unverified", match: { tools: ["*"] }, when: "!principal.verified", effect: "deny" },
  ],
  rego: "agents",
  cedar: [
    cedarRule(
      "permit",
      "payments.transfer",
      'context.input.cents <= 50000 && ["DE", "AT"].contains(context.input.country)',
    ),
    cedarRule("forbid", "payments.transfer", "context.untrusted"),
    cedarRule("permit", "mail.send", '["acme.com", "acme.de"].contains(context.input.domain)'),
    cedarRule("forbid", "mail.send", "context.input.attachments > 3"),
    cedarRule("permit", "fs.write", 'context.input.path like "/workspace/*"'),
    cedarRule("forbid", "fs.write", 'context.input.path like "*..*"'),
    cedarRule("permit", "orders.refund", "context.input.cents <= context.input.total && context.input.total <= 100000"),
    cedarRule("permit", "http.get", 'context.input.host == "api.acme.com"'),
    cedarRule("permit", "search.query", "true"),
    "forbid (principal, action, resource) unless { context.verified };",
  ].join("\n"),
  calls: [
    call("payments.transfer", { cents: 4000, country: "DE" }),
    call("payments.transfer", { cents: 50001, country: "DE" }),
    call("payments.transfer", { cents: 4000, country: "FR" }),
    call("payments.transfer", { cents: 4000, country: "AT" }, { untrusted: true }),
    call("mail.send", { domain: "acme.com", attachments: 1 }),
    call("mail.send", { domain: "acme.de", attachments: 4 }),
    call("mail.send", { domain: "evil.io", attachments: 0 }),
    call("fs.write", { path: "/workspace/notes/today.md" }),
    call("fs.write", { path: "/workspace/../etc/passwd" }),
    call("fs.write", { path: "/etc/passwd" }),
    call("orders.refund", { cents: 900, total: 1000 }),
    call("orders.refund", { cents: 1100, total: 1000 }),
    call("http.get", { host: "api.acme.com" }),
    call("http.get", { host: "api.acme.com.evil.io" }),
    call("search.query", { text: "weather" }),
    call("search.query", { text: "weather" }, { verified: false }),
  ],
};

const manyRules = 10_000;
const numbered = Array.from({ length: manyRules }, (_, index) => ({
  tool: `t${index}.run`,
  amount: index % 1000,
  region: `r${index % 7}`,
}));

const many: PolicySet = {
  name: "many",
  title: "10,000 rules, one for each of 10,000 tools",
  tools: numbered.map(({ tool }) => tool),
  rules: numbered.map(({ tool, amount, region }, index) =>
    allow(`r${index}`, tool, `input.amount <= ${amount} && input.region == "${region}"`),
  ),
  rego: "many",
  regoSource: () =>
    [
      "package many\n\ndefault allow := false\n",
      ...numbered.map(
        ({ tool, amount, region }) =>
          `allow if {\n\tinput.tool.name == "${tool}"\n\tinput.input.amount <= ${amount}\n\tinput.input.region == "${region}"\n}\n`,
      ),
      'decisions contains {"rule": "allowed", "effect": "allow"} if allow\n',
    ].join("\n"),
  cedar: numbered
    .map(({ tool, amount, region }) =>
      cedarRule("permit", tool, `context.input.amount <= ${amount} && context.input.region == "${region}"`),
    )
    .join("\n"),
  calls: [3, 1234, 5678, 9999].flatMap((index) => [
    call(`t${index}.run`, { amount: index % 1000, region: `r${index % 7}` }),
    call(`t${index}.run`, { amount: (index % 1000) + 1, region: `r${index % 7}` }),
    call(`t${index}.run`, { amount: 0, region: "elsewhere" }),
  ]),
};

export const policySets: readonly PolicySet[] = [rbac, agents, many];
