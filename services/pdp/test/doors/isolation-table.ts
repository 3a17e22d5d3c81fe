import { Outcome } from "@remit/proto/decision";
import { TenantMode } from "@remit/proto/tenant";
import { openStream } from "../support/exchange-stream.ts";
import { callerRows } from "./isolation-callers.ts";
import { cellRows } from "./isolation-cell.ts";
import { changeRows } from "./isolation-changes.ts";
import { call, type Neighbours, nothing, THEIRS } from "./neighbours.ts";

/**
 * What is tried with one RPC. `alike`: asked with something of theirs and with something that does not exist, it must
 * answer the same, once the two are put out of sight. `ours`: what it answers us must hold nothing of theirs. `refused`: it
 * is of the whole cell, and no tenant's owner may ask for it.
 */
export type Probe =
  | { readonly alike: (asked: string) => Promise<unknown>; readonly theirs: string; readonly nobodys: string }
  | { readonly ours: () => Promise<unknown> }
  | { readonly refused: () => Promise<unknown> };

const text = (name: string, kind: "Agent" | "Tool" | "Policy" | "Budget" | "Group", spec: string) => ({
  file: "mine.yaml",
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name}, owner: me }\nspec: ${spec}\n`,
});

type Row = (neighbours: Neighbours) => Probe[];

const FORGED = `${"e".repeat(40)}.${"e".repeat(80)}.${"e".repeat(86)}`;

/** How we speak with a session's token that may be theirs. */
const withToken = ({ ours }: Neighbours, token: string) => ({ headers: { ...ours.headers, "remit-session": token } });

/** What a decision says, without what is its own alone. */
const verdict = ({ effect, reason, replayed }: { effect: unknown; reason?: unknown; replayed?: unknown }) => ({
  ...{ effect, reason, replayed },
});

const dataPlane: Readonly<Record<string, Row>> = {
  "remit.v1.DecisionService/Decide": (all) => {
    const { decisions } = all.ours.house.clients;
    const own = withToken(all, all.ours.token);
    return [
      {
        theirs: all.theirs.token,
        nobodys: FORGED,
        alike: (token) => decisions.decide(call("x"), withToken(all, token)),
      },
      {
        ...{ theirs: `${THEIRS}-call`, nobodys: "new-call" },
        alike: async (id) => verdict(await decisions.decide(call(id), own)),
      },
      {
        ...{ theirs: `${THEIRS}.vault`, nobodys: "other.vault" },
        alike: async (tool) => verdict(await decisions.decide(call(`about-${tool}`, tool), own)),
      },
    ];
  },
  "remit.v1.DecisionService/DecideBatch": (all) => {
    const { decisions } = all.ours.house.clients;
    const ask = (token: string) => decisions.decideBatch({ items: [call("b")] }, withToken(all, token));
    return [{ theirs: all.theirs.token, nobodys: FORGED, alike: ask }];
  },
  "remit.v1.DecisionService/Report": (all) => {
    const { decisions } = all.ours.house.clients;
    const tell = (kind: "decisionId" | "callId", outcome: Outcome, token: string) => (value: string) =>
      decisions.report({ subject: { case: kind, value }, outcome }, withToken(all, token));
    const own = all.ours.token;
    const byId = { theirs: all.theirs.decisionId, nobodys: nothing() };
    return [
      { ...byId, alike: tell("decisionId", Outcome.SUCCEEDED, own) },
      { theirs: all.theirs.reportedId, nobodys: nothing(), alike: tell("decisionId", Outcome.FAILED, own) },
      { theirs: `${THEIRS}-reported`, nobodys: "never-asked", alike: tell("callId", Outcome.SUCCEEDED, own) },
      {
        ...{ theirs: all.theirs.token, nobodys: FORGED },
        alike: (token) => tell("decisionId", Outcome.SUCCEEDED, token)(all.theirs.decisionId),
      },
    ];
  },
  "remit.v1.DecisionService/Explain": (all) => {
    const { decisions } = all.ours.house.clients;
    const explain = (token: string, tool?: string) =>
      decisions.explain({ call: call("e", tool) }, withToken(all, token));
    return [
      { theirs: all.theirs.token, nobodys: FORGED, alike: (token) => explain(token) },
      { theirs: `${THEIRS}.vault`, nobodys: "other.vault", alike: (tool) => explain(all.ours.token, tool) },
    ];
  },
  "remit.v1.DecisionService/Exchange": (all) => {
    const oneFrame = async (body: Parameters<ReturnType<typeof openStream>["send"]>[1]) => {
      const stream = openStream(all.ours.house);
      try {
        stream.send(1n, body);
        return await stream.answer(1n);
      } finally {
        await stream.end();
      }
    };
    const onTheirHandle = async (used: "theirs" | "nobodys") => {
      const stream = openStream(all.theirs.house);
      const handle = await stream.attach(1n, all.theirs.token);
      try {
        const asked = used === "theirs" ? handle : handle + 7;
        const answer = await oneFrame({ case: "decide", value: { handle: asked, call: call("h") } });
        return JSON.parse(JSON.stringify(answer).replaceAll(`handle ${asked}`, "handle"));
      } finally {
        await stream.end();
      }
    };
    return [
      {
        ...{ theirs: all.theirs.token, nobodys: FORGED },
        alike: (sessionToken) => oneFrame({ case: "attach", value: { sessionToken } }),
      },
      { theirs: "theirs", nobodys: "nobodys", alike: (used) => onTheirHandle(used as "theirs" | "nobodys") },
    ];
  },
  "remit.v1.SessionService/OpenSession": (all) => {
    const { sessions } = all.ours.house.clients;
    const open = (more: object) =>
      sessions.openSession({ agent: "acme-agent", ...more }, { headers: all.ours.headers });
    return [
      { theirs: `${THEIRS}-agent`, nobodys: "no-agent", alike: (agent) => open({ agent }) },
      {
        ...{ theirs: `${THEIRS}-run`, nobodys: "new-run" },
        alike: async (runId) => {
          const { session } = await open({ runId });
          return { isTheirs: session?.id === all.theirs.sessionId, purpose: session?.purpose };
        },
      },
    ];
  },
  "remit.v1.SessionService/RenewSession": (all) => bySession(all, "renewSession"),
  "remit.v1.SessionService/GetSession": (all) => bySession(all, "getSession"),
  "remit.v1.SessionService/CloseSession": (all) => bySession(all, "closeSession"),
  "remit.v1.SessionService/Delegate": (all) => {
    const { sessions } = all.ours.house.clients;
    const delegate = (token: string) => sessions.delegate({ agent: "acme-agent" }, withToken(all, token));
    return [{ theirs: all.theirs.token, nobodys: FORGED, alike: delegate }];
  },
};

function bySession(all: Neighbours, rpc: "renewSession" | "getSession" | "closeSession"): Probe[] {
  const { sessions } = all.ours.house.clients;
  const ask = (sessionId: string) => sessions[rpc]({ sessionId }, { headers: all.ours.headers });
  return [{ theirs: all.theirs.sessionId, nobodys: nothing(), alike: ask }];
}

function byRollout(
  { ours, theirs }: Neighbours,
  rpc: "setRolloutShare" | "promoteRollout" | "abortRollout" | "getRollout" | "tallyRollout",
): Probe[] {
  const { rollouts } = ours.house.clients;
  const ask = (rolloutId: string) => rollouts[rpc]({ rolloutId }, { headers: ours.headers });
  return [{ theirs: theirs.rolloutId, nobodys: nothing(), alike: ask }];
}

const adminPlane: Readonly<Record<string, Row>> = {
  "remit.v1.AgentService/PutAgent": ({ ours }) => {
    const put = (name: string) =>
      ours.house.clients.agents.putAgent(
        { document: text(name, "Agent", "{}"), dryRun: true },
        { headers: ours.headers },
      );
    return [
      { theirs: `${THEIRS}-agent`, nobodys: "no-agent", alike: async (name) => (await put(name)).change },
      {
        ours: () =>
          ours.house.clients.agents.putAgent(
            { document: text("clerk", "Agent", "{ labels: { put: twice } }") },
            { headers: ours.headers },
          ),
      },
    ];
  },
  "remit.v1.AgentService/ListAgents": ({ ours }) => [
    { ours: () => ours.house.clients.agents.listAgents({}, { headers: ours.headers }) },
  ],
  "remit.v1.ToolService/PutTool": ({ ours }) => {
    const put = (name: string, dryRun: boolean) =>
      ours.house.clients.tools.putTool(
        { document: text(name, "Tool", "{ risk: destructive }"), dryRun },
        { headers: ours.headers },
      );
    return [
      { theirs: `${THEIRS}.vault`, nobodys: "no.vault", alike: async (name) => (await put(name, true)).change },
      { ours: () => put("invoices.read", false) },
    ];
  },
  "remit.v1.ToolService/ListTools": ({ ours }) => [
    { ours: () => ours.house.clients.tools.listTools({}, { headers: ours.headers }) },
  ],
  "remit.v1.ToolService/GetTool": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}.vault`, nobodys: "no.vault" },
      alike: (name) => ours.house.clients.tools.getTool({ name }, { headers: ours.headers }),
    },
  ],
  "remit.v1.ToolService/DeleteTools": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}.vault`, nobodys: "no.vault" },
      alike: (name) => ours.house.clients.tools.deleteTools({ names: [name] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.AgentService/DeleteAgents": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-agent`, nobodys: "no-agent" },
      alike: (name) => ours.house.clients.agents.deleteAgents({ names: [name] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.BudgetService/PutBudget": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}_budget`, nobodys: "no_budget" },
      alike: async (name) => {
        const document = text(name, "Budget", '{ unit: EUR, limit: "1", window: day }');
        return (await ours.house.clients.budgets.putBudget({ document, dryRun: true }, { headers: ours.headers }))
          .change;
      },
    },
  ],
  "remit.v1.BudgetService/ListBudgets": ({ ours }) => [
    { ours: () => ours.house.clients.budgets.listBudgets({}, { headers: ours.headers }) },
  ],
  "remit.v1.BudgetService/DeleteBudgets": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}_budget`, nobodys: "no_budget" },
      alike: (name) => ours.house.clients.budgets.deleteBudgets({ names: [name] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.GroupService/PutGroup": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-group`, nobodys: "no-group" },
      alike: async (name) => {
        const document = text(name, "Group", "{ members: [ada] }");
        return (await ours.house.clients.groups.putGroup({ document, dryRun: true }, { headers: ours.headers })).change;
      },
    },
  ],
  "remit.v1.GroupService/ListGroups": ({ ours }) => [
    { ours: () => ours.house.clients.groups.listGroups({}, { headers: ours.headers }) },
  ],
  "remit.v1.GroupService/DeleteGroups": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-group`, nobodys: "no-group" },
      alike: (name) => ours.house.clients.groups.deleteGroups({ names: [name] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.PolicyService/PublishPolicies": ({ ours }) => {
    const rules = '{ rules: [{ id: r, match: { tools: ["*"] }, effect: deny }] }';
    const publish = (name: string) =>
      ours.house.clients.policies.publishPolicies({ files: [text(name, "Policy", rules)] }, { headers: ours.headers });
    return [
      {
        ...{ theirs: `${THEIRS}-rules`, nobodys: "new-rules" },
        alike: async (name) =>
          (await publish(name)).versions.map(({ version, state, created }) => ({ version, state, created })),
      },
    ];
  },
  "remit.v1.PolicyService/ActivatePolicies": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) =>
        ours.house.clients.policies.activatePolicies({ choices: [{ policy }] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.PolicyService/DeactivatePolicies": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-rules`, nobodys: "no-rules" },
      alike: (policy) =>
        ours.house.clients.policies.deactivatePolicies({ policies: [policy] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.PolicyService/ListPolicies": ({ ours }) => [
    {
      ours: async () => {
        const { versions, ...rest } = await ours.house.clients.policies.listPolicies({}, { headers: ours.headers });
        // What we published under their name ourselves is ours.
        return {
          ...rest,
          versions: versions.filter(({ policy, state }) => policy !== `${THEIRS}-rules` || state === "active"),
        };
      },
    },
  ],
  "remit.v1.PolicyService/ValidatePolicies": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) =>
        ours.house.clients.policies.validatePolicies({ choices: [{ policy }] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.PolicyService/RollbackPolicies": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) =>
        ours.house.clients.policies.rollbackPolicies({ choices: [{ policy }] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.PolicyService/GetPolicies": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) => ours.house.clients.policies.getPolicies({ choices: [{ policy }] }, { headers: ours.headers }),
    },
    { ours: () => ours.house.clients.policies.getPolicies({}, { headers: ours.headers }) },
    {
      ours: () =>
        ours.house.clients.policies.getPolicies(
          { pageSize: 500, pageToken: `${THEIRS}-second@1` },
          { headers: ours.headers },
        ),
    },
  ],
  "remit.v1.RolloutService/StartRollout": ({ ours }) => [
    {
      ...{ theirs: `${THEIRS}-second`, nobodys: "no-rules" },
      alike: (policy) => ours.house.clients.rollouts.startRollout({ choices: [{ policy }] }, { headers: ours.headers }),
    },
  ],
  "remit.v1.RolloutService/SetRolloutShare": (all) => byRollout(all, "setRolloutShare"),
  "remit.v1.RolloutService/PromoteRollout": (all) => byRollout(all, "promoteRollout"),
  "remit.v1.RolloutService/AbortRollout": (all) => byRollout(all, "abortRollout"),
  "remit.v1.RolloutService/GetRollout": (all) => byRollout(all, "getRollout"),
  "remit.v1.RolloutService/TallyRollout": (all) => byRollout(all, "tallyRollout"),
  ...callerRows,
  "remit.v1.LedgerService/GetDecision": ({ ours, theirs }) =>
    [theirs.decisionId, theirs.reportedId, theirs.sessionId].map((id) => ({
      ...{ theirs: id, nobodys: nothing() },
      alike: (decisionId: string) => ours.house.clients.ledger.getDecision({ decisionId }, { headers: ours.headers }),
    })),
  "remit.v1.LedgerService/ListDecisions": ({ ours, theirs }) => {
    const list = (more: object) => ours.house.clients.ledger.listDecisions(more, { headers: ours.headers });
    return [
      { theirs: theirs.sessionId, nobodys: nothing(), alike: (sessionId) => list({ sessionId }) },
      { theirs: `${THEIRS}-agent`, nobodys: "no-agent", alike: (agent) => list({ agent }) },
      // What we asked with their names is recorded as ours.
      {
        ours: async () => (await list({ agent: "acme-agent" })).decisions.filter(({ id }) => id === theirs.decisionId),
      },
      {
        ours: async () =>
          (await list({ agent: "acme-agent", pageToken: theirs.decisionId })).decisions.map(({ id }) => id),
      },
    ];
  },
  "remit.v1.TenantService/GetTenant": ({ ours }) => [
    {
      ...{ theirs: THEIRS, nobodys: "nobody" },
      alike: (tenant) => ours.house.clients.tenants.getTenant({ tenant }, { headers: ours.headers }),
    },
    { ours: () => ours.house.clients.tenants.getTenant({}, { headers: ours.headers }) },
  ],
  "remit.v1.TenantService/ListTenants": ({ ours }) => [
    { ours: () => ours.house.clients.tenants.listTenants({}, { headers: ours.headers }) },
  ],
  "remit.v1.TenantService/CreateTenant": ({ ours }) => [
    {
      ...{ theirs: THEIRS, nobodys: "nobody" },
      alike: (tenant) => ours.house.clients.tenants.createTenant({ tenant }, { headers: ours.headers }),
    },
  ],
  "remit.v1.TenantService/UpdateTenant": ({ ours }) => [
    {
      ...{ theirs: THEIRS, nobodys: "nobody" },
      alike: (tenant) =>
        ours.house.clients.tenants.updateTenant({ tenant, mode: TenantMode.OBSERVE }, { headers: ours.headers }),
    },
  ],
};

/** One row an RPC, by the name that its descriptor gives it. */
export const isolationTable: Readonly<Record<string, Row>> = {
  ...dataPlane,
  ...adminPlane,
  ...changeRows,
  ...cellRows,
};
