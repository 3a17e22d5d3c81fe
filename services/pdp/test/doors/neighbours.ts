import { randomUUID } from "node:crypto";
import { Outcome } from "@remit/proto/decision";
import pg from "pg";
import { holdFor } from "../support/books.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * Two tenants of one cell, and what one of them can try against the other.
 */

export const THEIRS = "globex";

/** Everything of one tenant that another might get hold of. */
export interface Side {
  readonly house: House;
  /** Of its owner, who may do everything that can be done in a tenant. */
  readonly headers: { readonly authorization: string };
  readonly token: string;
  readonly sessionId: string;
  readonly decisionId: string;
  readonly reportedId: string;
  readonly callerId: string;
  readonly rolloutId: string;
  readonly revocationId: string;
  readonly changeId: string;
  /** What a call of theirs holds of their budget. */
  readonly holdId: string;
}

export interface Neighbours extends AsyncDisposable {
  readonly ours: Side;
  readonly theirs: Side;
  /** What the store holds of the others, as one text that changes when anything of it does. */
  theirRows(): Promise<string>;
}

export const call = (callId: string, tool = "invoices.read") => ({
  callId,
  tool,
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});

const documents = (name: string) => {
  const document = (kind: string, called: string, spec: string) =>
    `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${called}, owner: zoe@${name}.example }\nspec: ${spec}\n`;
  const rules = `{ rules: [{ id: r, match: { tools: [${name}.vault] }, effect: allow }] }`;
  return {
    agent: document("Agent", `${name}-agent`, '{ ceiling: { tools: ["*"] } }'),
    tool: document("Tool", `${name}.vault`, "{ risk: read }"),
    budget: document("Budget", `${name}_budget`, '{ unit: EUR, limit: "5", window: day }'),
    group: document("Group", `${name}-group`, "{ members: [zoe] }"),
    policies: ["rules", "second"].map((which) => document("Policy", `${name}-${which}`, rules)),
  };
};

async function side(cell: House, name: string): Promise<Side> {
  const operator = { authorization: `Bearer ${cell.ownerKey}` };
  const { ownerKey } = await cell.clients.tenants.createTenant({ tenant: name }, { headers: operator });
  const house = { ...cell, ownerKey };
  const headers = { authorization: `Bearer ${ownerKey}` };
  await furnish(house);
  const { agents, tools, budgets, groups, policies, rollouts, revocations, callers, decisions } = house.clients;
  const { agent, tool, budget, group, policies: files } = documents(name);
  await agents.putAgent({ document: { file: "a.yaml", text: agent } }, { headers });
  await tools.putTool({ document: { file: "t.yaml", text: tool } }, { headers });
  await budgets.putBudget({ document: { file: "b.yaml", text: budget } }, { headers });
  await groups.putGroup({ document: { file: "g.yaml", text: group } }, { headers });
  await policies.publishPolicies({ files: files.map((text, at) => ({ file: `p${at}.yaml`, text })) }, { headers });
  const choices = [{ policy: `${name}-rules` }, { policy: `${name}-second` }];
  await policies.activatePolicies({ choices }, { headers });
  const tried = documents(name).policies[1]?.replace("effect: allow", "effect: deny") ?? "";
  await policies.publishPolicies({ files: [{ file: "tried.yaml", text: tried }] }, { headers });
  const { rollout } = await rollouts.startRollout({ choices: [{ policy: `${name}-second` }] }, { headers });
  const { caller } = await callers.createKey({ name: `${name}-caller`, roles: ["viewer"] }, { headers });
  const { change } = await house.clients.changes.proposeChange(
    { method: "remit.v1.PolicyService/DeactivatePolicies", message: { policies: [`${name}-rules`] } },
    { headers },
  );
  const issuer = { name: `${name}-idp`, profile: "oidc", use: "workloads", issuer: `https://${name}.example` };
  await callers.putIssuer({ issuer: { ...issuer, audiences: [`remit:${name}`] } }, { headers });
  const binding = { name: `${name}-binding`, issuer: issuer.name, subject: `${name}-*`, agents: [`${name}-agent`] };
  await callers.putBinding({ binding }, { headers });
  const opened = await openSession(house, {
    ...{ agent: `${name}-agent`, runId: `${name}-run`, purpose: `${name} purpose` },
    onBehalfOf: { case: "principal", value: { id: `zoe@${name}.example` } },
  });
  const decided = await decisions.decide(call(`${name}-call`, `${name}.vault`), { headers: opened.headers });
  const reported = await decisions.decide(call(`${name}-reported`, `${name}.vault`), { headers: opened.headers });
  await decisions.report(
    { subject: { case: "decisionId", value: reported.decisionId }, outcome: Outcome.SUCCEEDED },
    { headers: opened.headers },
  );
  const subject = { case: "principal", value: `${name}-principal` } as const;
  const { revocation } = await revocations.revoke({ subject: { subject }, reason: `${name} reason` }, { headers });
  const held = { budget: `${name}_budget`, session: opened.session.id };
  const { hold: holdId } = await holdFor(house.database, name, held);
  return {
    ...{ house, headers, holdId, token: opened.token, sessionId: opened.session.id },
    ...{ decisionId: decided.decisionId, reportedId: reported.decisionId, callerId: caller?.id ?? "" },
    ...{ rolloutId: rollout?.id ?? "", revocationId: revocation?.id ?? "", changeId: change?.id ?? "" },
  };
}

async function rowsOf(url: string, tenant: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows: tables } = await client.query<{ name: string; tenant: string }>(`
    select c.relname as name, case c.relname when 'tenant' then 'id' else 'tenant' end as tenant
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and (c.relname = 'tenant' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant'))
     order by 1`);
  const found: string[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${table.name} t where ${table.tenant} = $1 order by 1`,
      [tenant],
    );
    found.push(...rows.map(({ row }) => `${table.name} ${row}`));
  }
  await client.end();
  return found.join("\n");
}

/** A cell with the tenants `acme`, which is ours, and `globex`, whose every name has it in it. */
export async function neighbours(): Promise<Neighbours> {
  const cell = await startHouse();
  const ours = await side(cell, "acme");
  const theirs = await side(cell, THEIRS);
  return {
    ours,
    theirs,
    theirRows: () => rowsOf(cell.database.superuserUrl, THEIRS),
    [Symbol.asyncDispose]: () => cell.close(),
  };
}

/** An id of the form that all ids have and that nothing has. */
export const nothing = () => randomUUID();
