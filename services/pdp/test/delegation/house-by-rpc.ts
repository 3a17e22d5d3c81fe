import type { Scope } from "@remit/engine";
import { Effect } from "@remit/proto/common";
import type { settableClock } from "../../src/index.ts";
import { scopeToWire } from "../../src/wire/convert/scope.ts";
import { failure, type House, openSession } from "../support/pdp.ts";
import { agents, type DelegationHouse, type HouseState, principals, type Tried, tools } from "./house-in-memory.ts";

const POLICY = `apiVersion: remit/v1
kind: Policy
metadata: { name: all }
spec: { rules: [{ id: all, match: { tools: ["*"] }, effect: allow }] }
`;

interface Opened {
  readonly headers: Record<string, string>;
  readonly agent: string;
  readonly principal: { readonly id: string };
  readonly scope: Scope | undefined;
  readonly depth: number;
  readonly expiresAtMs: number;
  state: "open" | "closed" | "revoked";
}

/** The same house over the real doors: whatever changes of its state is made by RPCs before the next question. */
export async function houseByRpc(
  house: House,
  state: HouseState,
  clock: ReturnType<typeof settableClock>,
): Promise<DelegationHouse> {
  const { clients } = house;
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  const rows = new Map<string, Opened>();
  const known = new Map<string, string>();
  const revocations = new Map<string, string>();
  let calls = 0;

  const put = async (kind: "Agent" | "Group", name: string, spec: object): Promise<void> => {
    const text = JSON.stringify({ apiVersion: "remit/v1", kind, metadata: { name }, spec });
    if (known.get(`${kind}/${name}`) === text) return;
    known.set(`${kind}/${name}`, text);
    const put = kind === "Agent" ? clients.agents.putAgent : clients.groups.putGroup;
    const { problems } = await put({ document: { file: "d.yaml", text } }, { headers });
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  };
  const revoke = async (): Promise<void> => {
    const living = new Set(state.revoked.map(({ kind, subject }) => `${kind}/${subject}`));
    for (const [name, revocationId] of revocations) {
      if (living.has(name)) continue;
      await clients.revocations.lift({ revocationId, reason: "over" }, { headers });
      revocations.delete(name);
    }
    for (const { kind, subject } of state.revoked) {
      if (revocations.has(`${kind}/${subject}`)) continue;
      const of = { subject: { case: kind, value: subject } } as never;
      const { revocation } = await clients.revocations.revoke({ subject: of, reason: "now" }, { headers });
      revocations.set(`${kind}/${subject}`, revocation?.id ?? "");
    }
  };
  const sync = async (nowMs: number): Promise<void> => {
    clock.set(nowMs);
    for (const name of agents) {
      const status = state.suspended.has(name) ? "suspended" : "active";
      await put("Agent", name, { ceiling: state.ceilings.get(name), status });
    }
    for (const name of principals) {
      const ceiling = state.principalCeilings.get(name);
      await put("Group", `with-${name}`, { members: [name], ...(ceiling && { ceiling }) });
    }
    if (known.get("depth") !== `${state.delegationDepth}`) {
      known.set("depth", `${state.delegationDepth}`);
      const quotas = { delegationDepth: state.delegationDepth };
      await clients.tenants.updateTenant({ tenant: "default", quotas }, { headers });
    }
    await revoke();
  };
  for (const name of tools) {
    const text = JSON.stringify({ apiVersion: "remit/v1", kind: "Tool", metadata: { name }, spec: { risk: "write" } });
    await clients.tools.putTool({ document: { file: "t.yaml", text } }, { headers });
  }
  await clients.policies.publishPolicies({ files: [{ file: "p.yaml", text: POLICY }] }, { headers });
  await clients.policies.activatePolicies({ choices: [{ policy: "all" }] }, { headers });

  return {
    rows,
    async open(agent, principal, scope, expiresAtMs, nowMs) {
      await sync(nowMs);
      const onBehalfOf = { case: "principal" as const, value: { id: principal } };
      const asked = { agent, onBehalfOf, maxLifetimeSeconds: (expiresAtMs - nowMs) / 1000 };
      const opened = await openSession(house, { ...asked, ...(scope && { scope: scopeToWire(scope) }) } as never).catch(
        () => undefined,
      );
      // An agent that may not act, or a principal for whom nothing may be done, has no session opened.
      if (!opened) return undefined;
      const row = { agent, principal: { id: principal }, scope, depth: 0, expiresAtMs, state: "open" as const };
      rows.set(opened.session.id, { ...row, headers: opened.headers });
      return opened.session.id;
    },
    async delegate(parentId, { agent, scope, lifetimeSeconds }, nowMs) {
      await sync(nowMs);
      const parent = rows.get(parentId) as Opened;
      const asked = { agent, scope: scopeToWire(scope), maxLifetimeSeconds: lifetimeSeconds };
      const made = await clients.sessions.delegate(asked as never, { headers: parent.headers }).catch(() => undefined);
      if (!made?.session) return undefined;
      const { id, depth, expiresAt } = made.session;
      const expiresAtMs = Number(expiresAt?.seconds ?? 0n) * 1000;
      const child = { agent, principal: parent.principal, scope, depth, expiresAtMs, state: "open" as const };
      rows.set(id, { ...child, headers: { ...parent.headers, "remit-session": made.token } });
      return id;
    },
    async end(id, how, nowMs) {
      await sync(nowMs);
      const row = rows.get(id) as Opened;
      row.state = how;
      if (how === "closed") await clients.sessions.closeSession({ sessionId: id }, { headers });
      else {
        const of = { subject: { case: "session", value: id } } as never;
        await clients.revocations.revoke({ subject: of, reason: "for good" }, { headers });
      }
    },
    async may(id, { tool, amount }: Tried, nowMs) {
      await sync(nowMs);
      const ask = clients.decisions.decide(
        { callId: `call-${++calls}`, tool, input: { case: "inputObject", value: { amount } } },
        { headers: (rows.get(id) as Opened).headers },
      );
      const answer = await ask.catch(() => undefined);
      if (answer) return answer.effect === Effect.ALLOW;
      const { detail } = await failure(ask);
      // A token ends with its session.
      if (detail.reason === "token_expired") return false;
      throw new Error(`the call failed: ${detail.reason}`);
    },
  };
}
