import { create as createMessage, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  BreakerDefaults,
  CreateTenantResponseSchema,
  GetTenantResponseSchema,
  ListTenantsResponseSchema,
  type QuotasSchema,
  type Tenant,
  TenantMode,
  TenantStatus,
  TenantUnbudgeted,
  type UpdateTenantRequestSchema,
  UpdateTenantResponseSchema,
} from "@remit/proto/tenant";
import { type Command, InvalidArgumentError, Option } from "commander";
import { collect, pairs } from "../arguments.ts";
import { type Cli, type Io, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { addErase } from "./custody.ts";

const statuses = { active: TenantStatus.ACTIVE, suspended: TenantStatus.SUSPENDED, closing: TenantStatus.CLOSING };
const modes = { enforce: TenantMode.ENFORCE, observe: TenantMode.OBSERVE };

const breakers = {
  enforce: BreakerDefaults.ENFORCE,
  observe: BreakerDefaults.OBSERVE,
  off: BreakerDefaults.OFF,
};
const unbudgeted = { deny: TenantUnbudgeted.DENY, allow: TenantUnbudgeted.ALLOW };

const quotaNames = {
  "decisions-per-second": "decisionsPerSecond",
  "caller-decisions-per-second": "callerDecisionsPerSecond",
  "sessions-per-second": "sessionsPerSecond",
  "sessions-open": "sessionsOpen",
  tools: "tools",
  agents: "agents",
  rules: "rules",
  "delegation-depth": "delegationDepth",
} as const;
const quotaHelp = `how much it may, NAME=COUNT, replacing all of its quotas; several times; names: ${Object.keys(quotaNames).join(", ")}`;
const COUNT_MAX = 4_294_967_295;

interface SetOptions {
  status?: keyof typeof statuses;
  mode?: keyof typeof modes;
  unbudgeted?: keyof typeof unbudgeted;
  breakers?: keyof typeof breakers;
  observe?: string[];
  observeNone?: boolean;
  quota?: string[];
  quotaNone?: boolean;
  people?: number;
  workloadPrefix?: string[];
  workloadPrefixNone?: boolean;
  json?: boolean;
}

function wordOf(words: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(words).find((word) => words[word] === value) ?? "unknown";
}

function quotas(texts: readonly string[]): MessageInitShape<typeof QuotasSchema> {
  const given = Object.entries(pairs(texts, "--quota")).map(([name, text]) => {
    const known = quotaNames[name as keyof typeof quotaNames];
    if (!known) throw usage(`there is no quota ${name}`, `choose from ${Object.keys(quotaNames).join(", ")}`);
    const count = Number(text);
    if (!/^[0-9]+$/.test(text) || count > COUNT_MAX) {
      throw usage(`--quota ${name} takes a count, got ${JSON.stringify(text)}`);
    }
    return [known, count] as const;
  });
  return Object.fromEntries(given);
}

function quotaLines(tenant: Tenant): string[] {
  return Object.entries(quotaNames).flatMap(([word, name]) => {
    const value = tenant.quotas?.[name];
    return value === undefined ? [] : [`${word}=${value}`];
  });
}

const labelText = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

function show(io: Io, tenant: Tenant | undefined): void {
  if (!tenant) return;
  io.out(`tenant    ${tenant.id}`);
  io.out(`status    ${wordOf(statuses, tenant.status)}`);
  io.out(`mode      ${wordOf(modes, tenant.mode)}`);
  io.out(`breakers  ${wordOf(breakers, tenant.breakers)}: the limits that no document names`);
  io.out(`spending  ${tenant.unbudgeted === TenantUnbudgeted.ALLOW ? "also" : "never"} of what no budget covers`);
  io.out(`people    ${tenant.people}${tenant.people === 1 ? ": one alone can widen what agents may do" : ""}`);
  for (const { matchLabels } of tenant.observeAgents) io.out(`observed  agents with ${labelText(matchLabels)}`);
  for (const line of quotaLines(tenant)) io.out(`quota     ${line}`);
  for (const prefix of tenant.workloadPrefixes) io.out(`workloads ${prefix}`);
}

async function list(cli: Cli, options: { json?: boolean }): Promise<void> {
  const { tenant: client } = cli.clients();
  const tenants = await everyItem(
    (page) => client.listTenants(page),
    (page) => page.tenants,
    { io: cli.io, what: "tenants" },
  );
  if (options.json) {
    return printJson(cli.io, toJson(ListTenantsResponseSchema, createMessage(ListTenantsResponseSchema, { tenants })));
  }
  const rows = tenants.map((tenant) => [
    tenant.id,
    wordOf(statuses, tenant.status),
    wordOf(modes, tenant.mode),
    quotaLines(tenant).join(",") || "none",
    tenant.createdAt === undefined ? "" : timestampDate(tenant.createdAt).toISOString(),
  ]);
  const titles = ["TENANT", "STATUS", "MODE", "QUOTAS", "CREATED"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

async function create(cli: Cli, tenant: string, options: { owner?: string; quota?: string[]; json?: boolean }) {
  const ownerName = options.owner ?? "";
  const answer = await cli.clients().tenant.createTenant({ tenant, ownerName, quotas: quotas(options.quota ?? []) });
  if (options.json) return printJson(cli.io, toJson(CreateTenantResponseSchema, answer));
  cli.io.err(`the key of the owner of ${tenant} (${answer.ownerId}); it is not shown again:`);
  cli.io.out(answer.ownerKey);
}

function changes(options: SetOptions): MessageInitShape<typeof UpdateTenantRequestSchema> {
  const selectors = (options.observe ?? []).map((text) => ({ matchLabels: pairs(text.split(","), "--observe") }));
  return {
    ...(options.status && { status: statuses[options.status] }),
    ...(options.mode && { mode: modes[options.mode] }),
    ...((options.observe || options.observeNone) && { observeAgents: { selectors } }),
    ...(options.unbudgeted && { unbudgeted: unbudgeted[options.unbudgeted] }),
    ...(options.breakers && { breakers: breakers[options.breakers] }),
    ...(options.people !== undefined && { people: options.people }),
    ...((options.quota || options.quotaNone) && { quotas: quotas(options.quota ?? []) }),
    ...((options.workloadPrefix || options.workloadPrefixNone) && {
      workloadPrefixes: { prefixes: options.workloadPrefix ?? [] },
    }),
  };
}

function peopleFrom(text: string): number {
  if (/^[1-8]$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Allowed are 1 to 8.");
}

async function set(cli: Cli, tenant: string | undefined, options: SetOptions): Promise<void> {
  const changed = changes(options);
  if (Object.keys(changed).length === 0) {
    throw usage("nothing to set", "name what to set; `remit tenants set --help` says what there is");
  }
  const answer = await cli.clients().tenant.updateTenant({ tenant: tenant ?? "", ...changed });
  if (options.json) return printJson(cli.io, toJson(UpdateTenantResponseSchema, answer));
  show(cli.io, answer.tenant);
  cli.io.out(`revision  ${answer.revision}`);
}

/** `remit tenants`: list, show, create, set, erase. */
export function addTenants(program: Command, cli: Cli): void {
  const tenants = program
    .command("tenants")
    .description("the tenants of this cell: status, mode, quotas, how many people a change takes");
  const listed = tenants
    .command("list")
    .description("every tenant of the cell; takes the role cell-operator")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => list(cli, options));
  examples(listed, [["who is there, and how much each may", "remit tenants list"]]);
  const shown = tenants
    .command("show [tenant]")
    .description("one tenant; without a name the key's own")
    .option("--json", "for machines")
    .action(async (tenant: string | undefined, options: { json?: boolean }) => {
      const answer = await cli.clients().tenant.getTenant({ tenant: tenant ?? "" });
      if (options.json) printJson(cli.io, toJson(GetTenantResponseSchema, answer));
      else show(cli.io, answer.tenant);
    });
  examples(shown, [["my own tenant's mode and quotas", "remit tenants show"]]);
  const made = tenants
    .command("create <tenant>")
    .description("make a tenant; its owner's key is printed once and nowhere else; takes the role cell-operator")
    .option("--owner <name>", "what its owner is called (owner)")
    .option("--quota <name=count>", quotaHelp, collect)
    .option("--json", "for machines")
    .action((tenant: string, options: { owner?: string; quota?: string[]; json?: boolean }) =>
      create(cli, tenant, options),
    );
  examples(made, [["a tenant with a bound", "remit tenants create acme --quota decisions-per-second=500"]]);
  addSet(tenants, cli);
  addErase(tenants, cli);
}

function addSet(tenants: Command, cli: Cli): void {
  const changed = tenants
    .command("set [tenant]")
    .description(
      "change a tenant; without a name the key's own; status, quotas and workloads take the role cell-operator",
    )
    .addOption(new Option("--status <status>", "whether it may act").choices(Object.keys(statuses)))
    .addOption(new Option("--mode <mode>", "whether what policies deny is stopped").choices(Object.keys(modes)))
    .addOption(
      new Option("--breakers <effect>", "what the limits of breakers do that no document names").choices(
        Object.keys(breakers),
      ),
    )
    .addOption(
      new Option("--unbudgeted <outcome>", "what becomes of costs that no budget covers").choices(
        Object.keys(unbudgeted),
      ),
    )
    .option("--observe <labels>", "agents to observe, NAME=VALUE,..., replacing all; several times", collect)
    .option("--observe-none", "observe no agent any more")
    .option("--quota <name=count>", quotaHelp, collect)
    .option("--quota-none", "no quotas any more")
    .option("--people <count>", "how many people what widens authority takes, from 1 to 8", peopleFrom)
    .option(
      "--workload-prefix <prefix>",
      "what the SPIFFE ids of its workloads begin with, replacing all; several times",
      collect,
    )
    .option("--workload-prefix-none", "no SPIFFE ids of its own any more")
    .option("--json", "for machines")
    .action((tenant: string | undefined, options: SetOptions) => set(cli, tenant, options));
  examples(changed, [
    ["see what enforcement would stop, and stop nothing", "remit tenants set --mode observe"],
    ["let agents spend what no budget covers", "remit tenants set --unbudgeted allow"],
    ["nobody widens what agents may do alone", "remit tenants set --people 2"],
    ["stop everything a tenant does", "remit tenants set acme --status suspended"],
    ["whose certificates are whose", "remit tenants set acme --workload-prefix spiffe://example.org/ns/acme"],
  ]);
}
