import { kinds, personalId } from "./w1.ts";

// W1 in Cerbos's policy format, written from its description. JSON is YAML, so the documents are plain objects.

const apiVersion = "api.cerbos.dev/v1";
const allow = "EFFECT_ALLOW";
const deny = "EFFECT_DENY";

function all(...expressions: string[]) {
  return { match: { all: { of: expressions.map((expr) => ({ expr })) } } };
}

const pending = 'R.attr.status == "PENDING"';
const sameGeography = "R.attr.geography == P.attr.geography";
const fromOffice = 'P.attr.ipAddress.inIPAddrRange("10.20.0.0/16")';

const rules = {
  admin: { actions: ["*"], effect: allow, roles: ["admin"] },
  public: { actions: ["view:public"], effect: allow, derivedRoles: ["any_employee"] },
  create: { actions: ["create"], effect: allow, derivedRoles: ["owner"] },
  edit: { actions: ["edit"], effect: allow, derivedRoles: ["owner"], condition: all('R.attr.status == "DRAFT"') },
  locked: { actions: ["edit"], effect: deny, roles: ["employee"], condition: all("R.attr.locked == true") },
  viewOwn: { actions: ["view", "view:private"], effect: allow, derivedRoles: ["owner"] },
  viewManaged: {
    actions: ["view", "view:private"],
    effect: allow,
    derivedRoles: ["direct_manager"],
    condition: all(sameGeography),
  },
  approve: { actions: ["approve"], effect: allow, derivedRoles: ["direct_manager"], condition: all(pending) },
  defer: { actions: ["defer"], effect: allow, derivedRoles: ["direct_manager"], condition: all(pending) },
  delete: { actions: ["delete"], effect: allow, derivedRoles: ["direct_manager"], condition: all(fromOffice) },
};

function resourcePolicy(resource: string, roles: string, version: string, scope: string, list: readonly object[]) {
  const scoped = scope === "" ? {} : { scope };
  return { apiVersion, resourcePolicy: { resource, version, ...scoped, importDerivedRoles: [roles], rules: list } };
}

function derivedRoles(name: string) {
  const definition = (role: string, parent: string, ...conditions: string[]) => ({
    name: role,
    parentRoles: [parent],
    ...(conditions.length === 0 ? {} : { condition: all(...conditions) }),
  });
  const definitions = [
    definition("any_employee", "employee"),
    definition("owner", "employee", "R.attr.owner == P.id"),
    definition("direct_manager", "manager", "R.attr.manager == P.id"),
  ];
  return { apiVersion, derivedRoles: { name, definitions } };
}

function principalPolicy(principal: string, leave: string, salary: string) {
  const rule = (action: string, effect: string, ...conditions: string[]) => ({
    action,
    effect,
    ...(conditions.length === 0 ? {} : { condition: all(...conditions) }),
  });
  const personal = [
    { resource: leave, actions: [rule("view:private", allow, "R.attr.draft == true"), rule("delete", deny)] },
    { resource: salary, actions: [rule("*", deny)] },
  ];
  return { apiVersion, principalPolicy: { principal, version: "default", rules: personal } };
}

/** The policies of one copy of the set: eight documents by file name. */
export function cerbosPolicies(suffix: string): { file: string; document: object }[] {
  const { leave, salary } = kinds(suffix);
  const roles = `w1_roles_${suffix}`;
  const plain = [
    rules.admin,
    rules.public,
    rules.create,
    rules.viewOwn,
    rules.viewManaged,
    rules.approve,
    rules.delete,
  ];
  const salaryRules = [rules.admin, { actions: ["view"], effect: allow, derivedRoles: ["owner"] }];
  const documents = {
    roles: derivedRoles(roles),
    principal: principalPolicy(personalId(suffix), leave, salary),
    salary: resourcePolicy(salary, roles, "default", "", salaryRules),
    v2026: resourcePolicy(leave, roles, "v2026", "", plain),
    base: resourcePolicy(leave, roles, "default", "", [rules.admin, rules.public]),
    acme: resourcePolicy(leave, roles, "default", "acme", [rules.create, rules.edit]),
    hr: resourcePolicy(leave, roles, "default", "acme.hr", [rules.viewOwn, rules.viewManaged, rules.approve]),
    uk: resourcePolicy(leave, roles, "default", "acme.hr.uk", [rules.locked, rules.defer, rules.delete]),
  };
  return Object.entries(documents).map(([name, document]) => ({ file: `${suffix}_${name}.json`, document }));
}
