import { parseDocuments } from "@remit/engine";
import type { Session } from "../../src/identities/index.ts";
import { type Ledger, type NewRecord, type StoredRecord, tenantErased } from "../../src/ledger/index.ts";
import type { PolicyStore, Revocable, TenantRows } from "../../src/policies/index.ts";
import { keyOf } from "../ledger/world.ts";

/*
 * A store in memory, that replicas reach over a way on which anything can come in between.
 */

/** The rules that revocation rests on, each of which can be left out. */
export interface RevocationRules {
  /** When the security revision moves. */
  readonly moves: "in the commit" | "after the acknowledgement";
  /** Whether the commit asks under which revision a record was judged. */
  readonly commit: "refuses what is older" | "takes all";
  /** What a snapshot holds of what is revoked. */
  readonly snapshot: "all" | "nothing" | "all but sessions";
  /** Whether what is remembered of a session is ever read again. */
  readonly sessions: "read again" | "never read again";
  /** Whether who asks is found out anew before an answer from before is given again. */
  readonly replays: "ask the store" | "go by what is remembered";
  /** Whether what passes no commit asks the store. */
  readonly noCommit: "asks the store" | "goes by what is held";
}

export const revocationRules: RevocationRules = {
  moves: "in the commit",
  commit: "refuses what is older",
  snapshot: "all",
  sessions: "read again",
  replays: "ask the store",
  noCommit: "asks the store",
};

export const START_MS = Date.parse("2026-03-01T09:00:00Z");
export const TENANT = "t";
export const AGENTS = ["planner", "clerk"] as const;
export const TOOLS = ["read", "pay"] as const;
export const PRINCIPALS = ["mia", "bob"] as const;
const ROOTS = 5;

const DOCUMENTS = `${AGENTS.map(
  (name) =>
    `apiVersion: remit/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec: { labels: { of: ${name} }, ceiling: { tools: ["*"] } }\n---\n`,
).join(
  "",
)}${TOOLS.map((name) => `apiVersion: remit/v1\nkind: Tool\nmetadata: { name: ${name} }\nspec: { risk: write }\n---\n`).join("")}apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { rules: [{ id: all, match: { tools: [read, pay] }, effect: allow }] }
`;

function documentRows(): Omit<TenantRows, "revisions" | "revocations"> {
  const { documents } = parseDocuments([{ file: "house.yaml", text: DOCUMENTS }]);
  const digest = `sha256:${"0".repeat(64)}`;
  const row = <Document>(document: Document) => ({ document, digest });
  return {
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: 1, digest })),
    tools: documents.tools.map(row),
    agents: documents.agents.map(row),
    ...{ budgets: [], groups: [] },
  };
}

/** Sessions of the planner, and under each one of the clerk. */
function family(): Session[] {
  return Array.from({ length: ROOTS }, (_, at) => {
    const base: Omit<Session, "id" | "agent" | "labels" | "parent" | "ancestors" | "depth"> = {
      ...{ tenant: TENANT, purpose: "", scope: undefined, runId: undefined, state: "open", openedBy: "c", details: {} },
      ...{ openedAtMs: START_MS, expiresAtMs: START_MS + 86_400_000 },
      principal: { id: PRINCIPALS[at % 2] ?? "", verified: false, labels: {} },
    };
    const [rootId, childId] = [`root-${at}`, `child-${at}`];
    const root: Session = {
      ...{ ...base, id: rootId, agent: "planner", labels: { wing: at < 3 ? "east" : "west" } },
      ...{ parent: undefined, ancestors: [], depth: 0 },
    };
    const child: Session = {
      ...{ ...base, id: childId, agent: "clerk", labels: {}, parent: rootId, depth: 1 },
      ancestors: [root],
    };
    return [root, child];
  }).flat();
}

/** A row as it stands now: its own state, and that of those above it. */
function asItStands(session: Session, ended: ReadonlySet<string>): Session {
  const of = <One extends { readonly id: string; readonly state: Session["state"] }>(one: One): One =>
    ended.has(one.id) ? { ...one, state: "revoked" } : one;
  return { ...of(session), ancestors: session.ancestors.map(of) };
}

type Step = (name: string) => Promise<void>;

export function createWorld(rules: RevocationRules) {
  const documents = documentRows();
  const sessions = new Map(family().map((session) => [session.id, session]));
  const ended = new Set<string>();
  const living = new Map<string, Revocable>();
  const records = new Map<string, { readonly record: StoredRecord; readonly request: string }>();
  let security = 1n;

  const revisions = () => ({ security, policy: 1n });
  const shown = (): readonly Revocable[] => {
    if (rules.snapshot === "nothing") return [];
    return [...living.values()].filter(({ kind }) => rules.snapshot === "all" || kind !== "session");
  };
  const insert = (record: NewRecord): Awaited<ReturnType<Ledger["record"]>> => {
    const key = keyOf(record);
    const taken = records.get(key);
    const request = Buffer.from(record.request).toString("hex");
    if (taken) return { outcome: taken.request === request ? "existing" : "reused", record: taken.record };
    // Whoever finds its key taken is told by whom, however old it is.
    if (rules.commit === "refuses what is older" && record.securityRevision < security) return { outcome: "stale" };
    const { id, tenant, session, kind, digest, body } = record;
    const ref = { epoch: 1n, n: BigInt(records.size + 1) };
    records.set(key, { record: { ...ref, id, tenant, session, kind, digest, body }, request });
    return { outcome: "inserted", ref };
  };

  return {
    sessionIds: [...sessions.keys()],
    session: (id: string): Session => sessions.get(id) as Session,
    /** Commits a revocation; what comes back moves the revision where the commit did not. */
    revoke(id: string, of: Revocable): () => void {
      living.set(id, of);
      if (of.kind === "session") ended.add(of.subject);
      const move = () => void security++;
      if (rules.moves === "after the acknowledgement") return move;
      move();
      return () => {};
    },
    lift(id: string): void {
      living.delete(id);
      security++;
    },
    /** What one replica reaches of it. */
    reached(step: Step) {
      const travelling = async <Value>(name: string, read: () => Value): Promise<Value> => {
        await step(`${name} travels`);
        const value = read();
        await step(`what ${name} found travels`);
        return value;
      };
      const policies: Pick<PolicyStore, "load" | "read" | "revisions" | "fingerprint"> = {
        read: () => Promise.reject(new Error("nothing is left out")),
        fingerprint: () => Promise.reject(new Error("nobody compares here")),
        load: () => travelling("a load", () => ({ ...documents, revisions: revisions(), revocations: shown() })),
        revisions: () => travelling("a look", revisions),
      };
      const ledger: Ledger = {
        ...{ start: async () => {}, close: async () => {}, fill: () => 0, shutOut: () => {} },
        state: () => {
          throw tenantErased();
        },
        record: (record) => travelling("a record", () => insert(record)),
        findByKeys: (tenant, session, _day, keys) =>
          travelling("a look-up", () =>
            keys.map((key) => records.get(keyOf({ tenant, session, key }))?.record ?? null),
          ),
        findById: async () => null,
        findBySubject: () => travelling("a look for reports", () => []),
        listDecisions: async () => ({ records: [], more: false }),
        withAsides: async () => [],
      };
      const session = (id: string) =>
        travelling("a session", () => ({ row: asItStands(sessions.get(id) as Session, ended), security }));
      return { policies, ledger, session };
    },
  };
}

export type World = ReturnType<typeof createWorld>;

/** Whether a revocation is of what a request is about. */
export function covers({ kind, subject, labels }: Revocable, session: Session, tool: string | undefined): boolean {
  const chain = [...session.ancestors, session];
  const carries = (of: { readonly agent: string; readonly labels: Readonly<Record<string, string>> }) =>
    Object.entries(labels).every(([name, value]) => of.labels[name] === value || (name === "of" && of.agent === value));
  switch (kind) {
    case "tenant":
      return true;
    case "agent":
      return chain.some(({ agent }) => agent === subject);
    case "session":
      return chain.some(({ id }) => id === subject);
    case "principal":
      return session.principal.id === subject;
    case "tool":
      return tool === subject;
    case "labels":
      return chain.some(carries);
  }
}
