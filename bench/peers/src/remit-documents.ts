import { kinds, leaveActions, personalId, salaryActions } from "./w1.ts";

// W1 in Remit's policy language: a tool per (resource kind, action); who asks and what about is the call's context.

const apiVersion = "remit/v1";

/** The tool that stands for an action on a resource of a kind. */
export function toolName(kind: string, action: string): string {
  return `${kind}.${action}`;
}

interface Rule {
  readonly id: string;
  readonly tools: readonly string[];
  readonly when: string | readonly string[];
  readonly effect?: "deny";
}

const variables = {
  admin: '"admin" in context.principal.roles',
  employee: '"employee" in context.principal.roles',
  owner: '"employee" in context.principal.roles && context.resource.owner == context.principal.id',
  manager: '"manager" in context.principal.roles && context.resource.manager == context.principal.id',
  nearby: "context.resource.geography == context.principal.geography",
  pending: 'context.resource.status == "PENDING"',
  // A /16 of dotted addresses is a prefix of their text.
  office: 'context.principal.ipAddress.startsWith("10.20.")',
  plain: 'context.resource.version == "v2026"',
  scoped: 'context.resource.scope in ["acme", "acme.hr", "acme.hr.uk"]',
  hr: 'context.resource.scope in ["acme.hr", "acme.hr.uk"]',
  uk: 'context.resource.scope == "acme.hr.uk"',
};

function policy(suffix: string) {
  const { leave, salary } = kinds(suffix);
  const leaves = (...actions: string[]) => actions.map((action) => toolName(leave, action));
  const personal = `context.principal.id == "${personalId(suffix)}"`;
  const rules: Rule[] = [
    { id: "admin", tools: [`${leave}.*`, `${salary}.*`], when: "vars.admin" },
    { id: "public", tools: leaves("view:public"), when: "vars.employee" },
    { id: "create", tools: leaves("create"), when: "vars.owner && (vars.plain || vars.scoped)" },
    { id: "edit", tools: leaves("edit"), when: ["vars.owner && vars.scoped", 'context.resource.status == "DRAFT"'] },
    {
      id: "edit-locked",
      tools: leaves("edit"),
      when: "vars.uk && vars.employee && context.resource.locked",
      effect: "deny",
    },
    { id: "view-own", tools: leaves("view", "view:private"), when: "vars.owner && (vars.plain || vars.hr)" },
    {
      id: "view-managed",
      tools: leaves("view", "view:private"),
      when: "vars.manager && vars.nearby && (vars.plain || vars.hr)",
    },
    { id: "approve", tools: leaves("approve"), when: "vars.manager && vars.pending && (vars.plain || vars.hr)" },
    { id: "delete", tools: leaves("delete"), when: "vars.manager && vars.office && (vars.plain || vars.uk)" },
    { id: "defer", tools: leaves("defer"), when: "vars.manager && vars.pending && vars.uk" },
    { id: "personal-view", tools: leaves("view:private"), when: `${personal} && context.resource.draft` },
    { id: "personal-delete", tools: leaves("delete"), when: personal, effect: "deny" },
    { id: "personal-salary", tools: [`${salary}.*`], when: personal, effect: "deny" },
    { id: "salary-own", tools: [toolName(salary, "view")], when: "vars.owner" },
  ];
  return {
    apiVersion,
    kind: "Policy",
    metadata: { name: `w1-${suffix}` },
    spec: {
      variables,
      rules: rules.map(({ id, tools, when, effect = "allow" }) => ({ id, match: { tools }, when, effect })),
    },
  };
}

function tool(name: string) {
  return { apiVersion, kind: "Tool", metadata: { name }, spec: { risk: "write" } };
}

/** The documents of one copy of the set: its tools and its policy. */
export function remitDocuments(suffix: string): { tools: object[]; policy: object } {
  const { leave, salary } = kinds(suffix);
  const names = [
    ...leaveActions.map((action) => toolName(leave, action)),
    ...salaryActions.map((action) => toolName(salary, action)),
  ];
  return { tools: names.map(tool), policy: policy(suffix) };
}

/** The one agent that asks. */
export const benchAgent = { apiVersion, kind: "Agent", metadata: { name: "bench", owner: "bench" }, spec: {} };
