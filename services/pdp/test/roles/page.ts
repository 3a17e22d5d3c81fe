import { ROLES, type Role } from "../../src/identities/index.ts";
import { GRANTS, type Grant } from "../../src/wire/grants.ts";

const meanings: Readonly<Record<Role, string>> = {
  viewer: "Looks: what is registered and in force, who may call, decisions with what is kept of their inputs.",
  diagnose: "Is told why: Explain, and the detail of decisions.",
  approver: "Looks at the decisions that wait for people.",
  "policy-author": "Writes policies: stores versions, has them checked. Puts none in force, and sees no decision.",
  "policy-approver": "Puts policies in force, takes them out, tries them on a share of the sessions. Writes none.",
  operator: "Registers agents, tools, budgets and groups; revokes, halts, and lets go on.",
  owner: "Makes and ends keys, sets the tenant's mode, and has every role above.",
  "cell-operator":
    "Administers the cell: its tenants and its keys. Only callers of the first tenant can have it, only one of them gives it, and owning a tenant does not include it.",
};

function granted({ to }: Grant, role: Role): string {
  if (to === "anybody" || to === "callers") return "•";
  return to.includes(role) || (role === "owner" && to.some((one) => one !== "cell-operator")) ? "•" : "";
}

function whoever({ to }: Grant): string {
  if (to === "anybody") return "anybody";
  return to === "callers" ? "every caller" : to.join(", ");
}

function service(name: string, rpcs: Readonly<Record<string, Grant>>): string[] {
  const rows = Object.entries(rpcs).map(([rpc, grant]) => {
    const marks = ROLES.map((role) => granted(grant, role));
    return `| \`${rpc}\` | ${marks.join(" | ")} | ${grant.further ?? ""} |`;
  });
  return [
    `### ${name.replace(/^remit\.v1\./, "")}`,
    "",
    `| RPC | ${ROLES.join(" | ")} | and |`,
    `|---|${ROLES.map(() => ":-:|").join("")}---|`,
    ...rows,
    "",
  ];
}

/** docs/roles.md, whole. */
export function rolesPage(): string {
  const open = Object.entries(GRANTS).flatMap(([name, rpcs]) =>
    Object.entries(rpcs)
      .filter(([, { to }]) => typeof to === "string")
      .map(([rpc, grant]) => `\`${name.replace(/^remit\.v1\./, "")}/${rpc}\` (${whoever(grant)})`),
  );
  return [
    "# Roles",
    "",
    "Written from `services/pdp/src/wire/grants.ts`, the one table that says whom an RPC is granted to. What is not in it",
    "is not served. A caller has roles by its key, or by the bindings that match what it proves; a request without one of",
    "the roles below answers `role_missing`, and the ledger tells of it ([audit.md](audit.md)).",
    "",
    "| role | what it is for |",
    "|---|---|",
    ...ROLES.map((role) => `| \`${role}\` | ${meanings[role]} |`),
    "",
    "Roles add up; none takes anything away. Four lines are drawn on purpose:",
    "",
    "- **Writing a policy and putting it in force are two roles.** `policy-author` alone activates nothing, and",
    "  `policy-approver` alone writes nothing. Whoever has both, an owner too, is one person: where two are wanted, the",
    "  tenant says so.",
    "- **Configuration is not data.** Whoever changes policies or registrations reads what is registered and in force. What",
    "  calls said of people stands in decisions, which take `viewer` or `approver`; a tool's `redact` paths say what of an",
    "  input is never kept at all.",
    "- **Administering is not acting.** An owner's key opens sessions for every agent and speaks for every session. Who comes",
    "  by a login, a token or a certificate does neither by the role `owner`: its bindings name the agents.",
    "- **Keys are the owner's.** `viewer` sees who may call and with which roles; the names and addresses of people only",
    "  an owner sees. A key itself is shown once, to whoever makes it.",
    "",
    "## What is granted to whom",
    "",
    ...Object.entries(GRANTS).flatMap(([name, rpcs]) => service(name, rpcs)),
    "## What takes no role",
    "",
    `${open.join(", ")}.`,
    "",
  ].join("\n");
}
