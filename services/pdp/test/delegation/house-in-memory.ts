import { type AgentDocument, compile, parseDocuments, type Scope } from "@remit/engine";
import type { Ask, Asker } from "../../src/decisions/ask.ts";
import { type Delegation, delegated } from "../../src/decisions/delegate.ts";
import { judge } from "../../src/decisions/judge.ts";
import { strictObject } from "../../src/foundation/strict-json.ts";
import { type Link, type Session, withEnded } from "../../src/identities/session.ts";
import type { Snapshot } from "../../src/policies/index.ts";
import { revokedFrom } from "../../src/policies/revoked.ts";

const DOCUMENTS = `apiVersion: remit/v1
kind: Policy
metadata: { name: all }
spec: { rules: [{ id: all, match: { tools: ["*"] }, effect: allow }] }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: a.read }
spec: { risk: read }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: a.pay }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: b.send }
spec: { risk: write }
`;

export const tools = ["a.read", "a.pay", "b.send"] as const;
export const agents = ["planner", "helper", "looker", "payer", "sender", "last"] as const;
export const principals = ["mia", "ben"] as const;

/** One proposed call, as far as scopes can tell calls apart. */
export interface Tried {
  readonly tool: (typeof tools)[number];
  readonly amount: number;
}

/** What may be wrong with a house that binds a session by its chain. */
export type Flaw =
  | "only the direct parent is looked at"
  | "scopes and ceilings are looked at when a session is made, and no more"
  | "one link that permits is enough"
  | "the ceilings of agents in the middle are forgotten"
  | "a child does not end with its parent"
  | "a chain that is remembered is not told of ends"
  | "the ceiling of a principal binds the root alone"
  | "a chain may be as long as it was when it was made";

/** Documents that are all in force; what changes of them is in `state`. */
function compiledOf() {
  const { documents } = parseDocuments([{ file: "house.yaml", text: DOCUMENTS }]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled } = compile({ policies, tools: documents.tools });
  if (!compiled) throw new Error("the documents do not compile");
  return compiled;
}
const compiled = compiledOf();

export interface HouseState {
  readonly ceilings: Map<string, Scope>;
  readonly suspended: Set<string>;
  readonly principalCeilings: Map<string, Scope>;
  delegationDepth: number;
  readonly revoked: { kind: "agent" | "session" | "principal"; subject: string }[];
}

export function emptyState(): HouseState {
  const everything: Scope = { tools: ["*"] };
  return {
    ceilings: new Map(agents.map((name) => [name, everything])),
    ...{ suspended: new Set(), principalCeilings: new Map(), delegationDepth: 8, revoked: [] },
  };
}

function snapshotOf(state: HouseState): Snapshot {
  const documents = [...state.ceilings].map(([name, ceiling]): [string, AgentDocument] => [
    name,
    {
      ...{ apiVersion: "remit/v1", kind: "Agent", metadata: { name } },
      spec: { ceiling, status: state.suspended.has(name) ? "suspended" : "active" },
    },
  ]);
  const revoked = revokedFrom(state.revoked.map((one) => ({ ...one, labels: {} })));
  return {
    ...{ tenant: "t", revisions: { security: 1n, policy: 1n }, compiled, policyDigest: "", policies: [], usable: true },
    settings: {
      ...{ status: "active", mode: "enforce", observeAgents: [], unbudgeted: "deny" },
      quotas: { delegationDepth: state.delegationDepth },
    },
    agents: new Map(documents),
    ceilings: new Map([...state.principalCeilings].map(([id, ceiling]) => [id, [ceiling]])),
    ...{ tools: new Map(), budgets: new Map(), groups: new Map(), revoked },
  } as Snapshot;
}

function askOf({ tool, amount }: Tried): Ask {
  const empty = strictObject({}, "context");
  return {
    ...{ callId: "c", tool, input: strictObject({ amount }, "input"), context: empty },
    ...{ answers: empty, estimate: [], schemaDigest: "", approvalId: "", supportedConstraints: [], wantPermit: false },
    ...{ minRevision: 0n, traceId: "", withinMs: 0 },
  } as Ask;
}

const caller = { id: "c", tenant: "t", name: "desk", roles: ["owner"], agents: [] } as unknown as Asker["caller"];

type MaybeLater<Value> = Value | Promise<Value>;

/** A house whose sessions can be asked: the code by itself, or a service over its doors. */
export interface DelegationHouse {
  readonly rows: ReadonlyMap<
    string,
    Pick<Session, "agent" | "scope" | "depth" | "expiresAtMs" | "state"> & {
      readonly principal: { readonly id: string };
    }
  >;
  /** The id; undefined when it is refused. */
  open(
    agent: string,
    principal: string,
    scope: Scope | undefined,
    expiresAtMs: number,
    nowMs: number,
  ): MaybeLater<string | undefined>;
  delegate(
    parentId: string,
    asked: Pick<Delegation, "agent" | "scope" | "lifetimeSeconds">,
    nowMs: number,
  ): MaybeLater<string | undefined>;
  end(id: string, how: "closed" | "revoked", nowMs: number): MaybeLater<void>;
  /** Whether the session may make the call now. */
  may(id: string, tried: Tried, nowMs: number): MaybeLater<boolean>;
}

/** The code under test: sessions and what binds them, over a store in memory, with a memory of chains that were read. */
export function createHouse(state: HouseState, flaw?: Flaw): DelegationHouse {
  const rows = new Map<string, Session>();
  const remembered = new Map<string, Session>();
  let ids = 0;

  /** A session as the store answers it: each link as its own row is now. */
  const read = (id: string): Session => {
    const row = rows.get(id) as Session;
    const ancestors = row.ancestors.map((link): Link => {
      const { state: now, expiresAtMs } = rows.get(link.id) as Session;
      return { ...link, state: now, expiresAtMs };
    });
    return { ...row, ancestors };
  };
  const load = (id: string): Session => {
    const known = remembered.get(id) ?? read(id);
    remembered.set(id, known);
    return known;
  };
  const permits = (session: Session, tried: Tried, nowMs: number, snapshot: Snapshot): boolean =>
    judge(snapshot, { caller, session, security: 1n }, askOf(tried), 1, nowMs).verdict.effect === "allow";

  return {
    rows,
    open(agent, principal, scope, expiresAtMs, nowMs) {
      const id = `s${++ids}`;
      rows.set(id, {
        ...{ id, tenant: "t", agent, purpose: "", scope, labels: {}, runId: undefined, details: {}, openedBy: "c" },
        ...{ state: "open", parent: undefined, ancestors: [], depth: 0, openedAtMs: nowMs, expiresAtMs },
        principal: { id: principal, verified: true, labels: {} },
      });
      return id;
    },
    delegate(parentId, asked, nowMs) {
      const delegation = { ...asked, purpose: "", labels: {}, runId: undefined, details: {}, budget: [] };
      try {
        const child = delegated(snapshotOf(state), caller, read(parentId), delegation, `s${++ids}`, nowMs);
        const endless = flaw === "a child does not end with its parent" && { expiresAtMs: nowMs + 1e9 };
        rows.set(child.id, { ...child, ...endless });
        return child.id;
      } catch {
        return undefined;
      }
    },
    end(id, how) {
      rows.set(id, { ...(rows.get(id) as Session), state: how });
      if (flaw === "a chain that is remembered is not told of ends") return;
      for (const [known, session] of remembered) {
        remembered.set(
          known,
          withEnded(session, (heard) => (heard === id ? how : undefined)),
        );
      }
    },
    may(id, tried, nowMs) {
      return mayWith(flaw, { session: load(id), rows, state, permits, tried, nowMs });
    },
  };
}

interface Asked {
  readonly session: Session;
  readonly rows: ReadonlyMap<string, Session>;
  readonly state: HouseState;
  readonly permits: (session: Session, tried: Tried, nowMs: number, snapshot: Snapshot) => boolean;
  readonly tried: Tried;
  readonly nowMs: number;
}

const everything: Scope = { tools: ["*"] };

function mayWith(flaw: Flaw | undefined, { session, state, permits, tried, nowMs }: Asked): boolean {
  const { ancestors } = session;
  const judged = (changed: Session, of = state) => permits(changed, tried, nowMs, snapshotOf(of));
  switch (flaw) {
    case "only the direct parent is looked at":
      return judged({ ...session, ancestors: ancestors.slice(-1) });
    case "scopes and ceilings are looked at when a session is made, and no more": {
      const ceilings = new Map([...state.ceilings].map(([name]) => [name, everything]));
      return judged(session, { ...state, ceilings, principalCeilings: new Map() });
    }
    case "one link that permits is enough": {
      const alone = ancestors.map(({ id, agent, scope }) => ({
        ...session,
        id,
        agent,
        scope,
        ancestors: [],
        depth: 0,
      }));
      return [...alone, { ...session, ancestors: [], depth: 0 }].some((link) => judged(link));
    }
    case "the ceilings of agents in the middle are forgotten": {
      const middle = new Set(ancestors.slice(1).map(({ agent }) => agent));
      const ceilings = new Map([...state.ceilings].map(([name, one]) => [name, middle.has(name) ? everything : one]));
      return judged(session, { ...state, ceilings });
    }
    case "a child does not end with its parent":
      return judged({ ...session, ancestors: ancestors.map((link) => ({ ...link, expiresAtMs: 1e15 })) });
    case "the ceiling of a principal binds the root alone":
      return judged(session, session.depth === 0 ? state : { ...state, principalCeilings: new Map() });
    case "a chain may be as long as it was when it was made":
      return judged(session, { ...state, delegationDepth: 8 });
    default:
      return judged(session);
  }
}
