// W1: leave requests of a company. Principals with roles and a geography, a resource whose rules turn on ownership,
// management, state and network, a scoped version of it, and one person with rules of her own. The whole set is repeated
// under suffixed names. This file says who asks what; the rules themselves are written three times: for Cerbos, for
// Remit, and here as plain code, which both are held against.

export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
  readonly geography: string;
  readonly ipAddress: string;
}

export type Version = "v2026" | "default";
export type Scope = "" | "acme" | "acme.hr" | "acme.hr.uk";

export interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly version: Version;
  readonly scope: Scope;
  readonly owner: string;
  readonly manager: string;
  readonly geography: string;
  readonly status: "DRAFT" | "PENDING" | "APPROVED";
  readonly draft: boolean;
  readonly locked: boolean;
}

export interface Request {
  readonly principal: Principal;
  readonly resource: Resource;
  readonly actions: readonly string[];
}

export const leaveActions = [
  "create",
  "view",
  "view:public",
  "view:private",
  "edit",
  "submit",
  "approve",
  "defer",
  "delete",
  "remind",
  "export",
] as const;
const tenActions = leaveActions.slice(0, 10);
export const salaryActions = ["view", "edit"] as const;

export function suffixOf(n: number): string {
  return String(n).padStart(5, "0");
}

export function kinds(suffix: string): { leave: string; salary: string } {
  return { leave: `leave_request_${suffix}`, salary: `salary_record_${suffix}` };
}

/** The person with rules of her own: there is one in every copy of the set. */
export function personalId(suffix: string): string {
  return `sam_${suffix}`;
}

const office = "10.20.7.9";
const elsewhere = "192.168.4.1";
const ben: Principal = { id: "ben", roles: ["employee"], geography: "GB", ipAddress: office };
const mia: Principal = { id: "mia", roles: ["employee", "manager"], geography: "GB", ipAddress: office };
const max: Principal = { id: "max", roles: ["employee", "manager"], geography: "FR", ipAddress: elsewhere };
const eve: Principal = { id: "eve", roles: ["employee"], geography: "GB", ipAddress: elsewhere };
const ada: Principal = { id: "ada", roles: ["admin"], geography: "GB", ipAddress: office };

/** The requests of one copy of the set, each with something to allow and something to deny. */
export function mixedRequests(suffix: string): Request[] {
  const { leave } = kinds(suffix);
  const sam: Principal = { id: personalId(suffix), roles: ["employee", "manager"], geography: "FR", ipAddress: office };
  const resource = (id: string, version: Version, scope: Scope, rest: Partial<Resource>): Resource => ({
    kind: leave,
    id,
    version,
    scope,
    owner: "ben",
    manager: "mia",
    geography: "GB",
    status: "PENDING",
    draft: false,
    locked: false,
    ...rest,
  });
  return [
    { principal: ben, resource: resource("own", "v2026", "", {}), actions: leaveActions },
    { principal: mia, resource: resource("managed", "v2026", "", {}), actions: leaveActions },
    { principal: max, resource: resource("abroad", "v2026", "", { manager: "max" }), actions: leaveActions },
    {
      principal: ben,
      resource: resource("locked", "default", "acme.hr.uk", { status: "DRAFT", draft: true, locked: true }),
      actions: leaveActions,
    },
    { principal: mia, resource: resource("uk", "default", "acme.hr.uk", {}), actions: tenActions },
    {
      principal: ben,
      resource: resource("draft", "default", "acme", { status: "DRAFT", draft: true }),
      actions: tenActions,
    },
    {
      principal: sam,
      resource: resource("personal", "default", "acme.hr.uk", { manager: sam.id, draft: true }),
      actions: leaveActions,
    },
    { principal: eve, resource: resource("other", "default", "acme.hr", {}), actions: tenActions },
  ];
}

/** Requests that are only compared, not timed: they reach the rules that allow or deny everything, and the base version. */
export function furtherRequests(suffix: string): Request[] {
  const [own, , , , , , personal] = mixedRequests(suffix);
  if (own === undefined || personal === undefined) throw new Error("W1 lost its requests");
  const { salary } = kinds(suffix);
  return [
    { ...own, principal: ada },
    { ...personal, principal: ada },
    { ...own, resource: { ...own.resource, kind: salary, version: "default" }, actions: salaryActions },
    {
      ...personal,
      resource: { ...personal.resource, kind: salary, scope: "", owner: personal.principal.id },
      actions: salaryActions,
    },
    { ...own, resource: { ...own.resource, version: "default" } },
  ];
}

/** Every action of the requests as a request of its own. */
export function singles(requests: readonly Request[]): Request[] {
  return requests.flatMap((request) => request.actions.map((action) => ({ ...request, actions: [action] })));
}

/** The rules in plain code: whether W1 allows the action. */
export function allows({ principal, resource }: Request, action: string): boolean {
  const { version, scope } = resource;
  const personal = principal.id.startsWith("sam_");
  const employee = principal.roles.includes("employee");
  const owner = employee && resource.owner === principal.id;
  const manager = principal.roles.includes("manager") && resource.manager === principal.id;
  const pending = resource.status === "PENDING";
  const plain = version === "v2026";
  const uk = scope === "acme.hr.uk";
  const hr = uk || scope === "acme.hr";
  if (resource.kind.startsWith("salary_record")) {
    if (personal) return false;
    return principal.roles.includes("admin") || (owner && action === "view");
  }
  if (personal && action === "delete") return false;
  if (personal && action === "view:private" && resource.draft) return true;
  if (principal.roles.includes("admin")) return true;
  if (action === "view:public") return employee;
  if (action === "create") return owner && (plain || scope !== "");
  if (action === "edit") return owner && scope !== "" && resource.status === "DRAFT" && !(uk && resource.locked);
  if (action === "view" || action === "view:private")
    return (owner || (manager && resource.geography === principal.geography)) && (plain || hr);
  if (action === "approve") return manager && pending && (plain || hr);
  if (action === "delete") return manager && principal.ipAddress.startsWith("10.20.") && (plain || uk);
  return action === "defer" && manager && pending && uk;
}

/** Up to `count` of the N copies, spread over all of them: what the requests of a run ask about. */
export function sampledSuffixes(copies: number, count: number): string[] {
  const take = Math.min(copies, count);
  return Array.from({ length: take }, (_, i) => suffixOf(Math.floor((i * copies) / take)));
}
