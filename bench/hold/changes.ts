import { randomFillSync } from "node:crypto";
import type { BudgetDocument } from "../../services/engine/src/index.ts";
import { createBelieving } from "../../services/pdp/src/decisions/believing.ts";
import { createChanges, type MakeChange } from "../../services/pdp/src/decisions/changes.ts";
import type { ChangedRow, Proposal } from "../../services/pdp/src/decisions/index.ts";
import { createProposals } from "../../services/pdp/src/decisions/proposals.ts";
import { createPublishing } from "../../services/pdp/src/decisions/publishing.ts";
import { createRegistry } from "../../services/pdp/src/decisions/registry.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import type { NewRecord } from "../../services/pdp/src/ledger/index.ts";
import { createSealer } from "../../services/pdp/src/ledger/seal.ts";
import { type Case, many, policy, rule, tool } from "./catalogue.ts";
import { prepareWith, settle } from "./turns.ts";

const NOW = 1_780_000_000_000;
const ID = "01900000-0000-7000-8000-000000000001";
const revisions = { security: 1n, policy: 1n };
const owner = { id: ID, name: "ada", tenant: "t", roles: ["owner"], agents: ["*"] } as never;
const applied = { ok: true, value: { revisions, record: { epoch: 1n, n: 1n }, versions: [] } } as const;

/** Changes whose entries are written and sealed, and which no store takes. */
function changing(snapshots: object = {}): MakeChange {
  const sealer = createSealer({ id: ID, bytes: Buffer.alloc(32, 7) }, (into) => void randomFillSync(into));
  const seal = (record: NewRecord) => ({
    ...record,
    body: sealer.seal({ tenant: "t", id: ID, part: "body" }, record.body),
  });
  const store = { apply: async () => applied, isEmpty: async () => false };
  const quiet = { security: () => 1n, secured: async () => {}, refresh: async () => {}, ...snapshots };
  return createChanges({ store, snapshots: quiet as never, seal, clock: { now: () => NOW }, newId: () => ID });
}

const recording: Case = {
  name: `changes: recording that ${limits.namesDeletedMax} tools of long names are deleted`,
  make: () => {
    const change = changing();
    const names = many(limits.namesDeletedMax, (at) => `tool-${at}-`.padEnd(200, "x"));
    return prepareWith(settle, () => change(owner, { kind: "tools_deleted", names }));
  },
};

/** Each with other texts, so that no two of them are written alike. */
const documentAt = (at: number) => {
  const ruleAt = (n: number) => rule(n, { when: [`input.a == ${n}`], message: `m${at}`.repeat(300) });
  const { document } = policy(many(800, ruleAt));
  return { ...document, metadata: { name: `p${at}` } };
};

const publishing: Case = {
  name: "changes: publishing 12 policies of a megabyte in a file each",
  make: () => {
    const documents = { policies: many(12, documentAt) };
    const read = async () => ({
      ...{ documents, problems: [], digestOf: () => Buffer.alloc(32), placed: async () => [], done: () => {} },
    });
    const snapshot = { settings: { quotas: {} }, policies: [], tools: new Map(), revisions };
    const snapshots = {
      ...{ current: async () => snapshot, check: async () => ({ problems: [] }), lint: async () => [] },
    };
    const change = async () => applied;
    const { publish } = createPublishing({ snapshots, read, change } as never);
    const files = many(12, (at) => ({ file: `${at}.yaml`, text: "a: b" }));
    return prepareWith(settle, () => publish(owner, files, { strict: false, dryRun: false, draft: false }));
  },
};

const trying: Case = {
  name: "changes: publishing 1,000 policies to see what would be, of a tenant with 20,000 versions",
  make: () => {
    const plain = (at: number) => ({ ...policy([]).document, metadata: { name: `p${at}` } });
    const documents = { policies: many(1_000, plain) };
    const there = many(20_000, (at) => ({ policy: `p${at % 1_000}`, version: 1 + Math.floor(at / 1_000), digest: "" }));
    const snapshot = { settings: { quotas: {} }, policies: [], tools: new Map(), revisions };
    const snapshots = {
      ...{ current: async () => snapshot, check: async () => ({ problems: [] }), lint: async () => [] },
    };
    const read = async () => ({
      ...{ documents, problems: [], digestOf: () => Buffer.alloc(32), placed: async () => [], done: () => {} },
    });
    const { publish } = createPublishing({ snapshots, read, policies: { versions: async () => there } } as never);
    const files = many(2, (at) => ({ file: `${at}.yaml`, text: "a: b" }));
    return prepareWith(settle, () => publish(owner, files, { strict: false, dryRun: true, draft: false }));
  },
};

const named = <Document extends { readonly metadata: { readonly name: string } }>(documents: readonly Document[]) =>
  new Map(documents.map((document) => [document.metadata.name, { document, digest: "" }]));

/** A tool that redacts so many paths, none of which is another tool's. */
const redacting = (of: string, count: number) => {
  const plain = tool(undefined, of);
  return { ...plain, spec: { ...plain.spec, redact: many(count, (at) => `input.${of}.a.b.c.d.p${at}`) } };
};
const keptBy = (at: number): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } },
  spec: {
    ...{ unit: "EUR", limit: "1", window: "day", owner: "tenant", enforcement: "hard" },
    per: many(8, (n) => `input.pay.a.b.c.d.k${at}x${n}`),
  },
});

const putting: Case = {
  name: "changes: putting a tool that redacts no more what 10,000 budgets might be kept by, beside 20,000 tools",
  make: () => {
    const others = many(limits.toolsMax - 1, (at) => tool(undefined, `t${at}`));
    const tools = named([redacting("pay", 100), ...others]);
    const budgets = named(many(limits.budgetsMax, keptBy));
    const snapshot = { tools, budgets, policies: [], revisions, settings: { quotas: {} } };
    const snapshots = { current: async () => snapshot, check: async () => ({ problems: [] }) };
    const read = async () => ({
      ...{ documents: { tools: [redacting("pay", 1)] }, problems: [], digestOf: () => Buffer.alloc(32) },
      ...{ placed: async (problems: unknown) => problems, done: () => {} },
    });
    const { putTool } = createRegistry({ snapshots, read, change: async () => applied } as never);
    return prepareWith(settle, () => putTool(owner, { file: "pay.yaml", text: "" }, false));
  },
};

const rows: readonly ChangedRow[] = many(4_500, (at) => ({
  ...{ table: "tool", becomes: null },
  was: { name: `tool-${at}`, document: { ...tool(undefined, `tool-${at}`) } as never },
}));
const person = (id: string) => ({ id, name: id, tenant: "t", roles: ["owner"], agents: ["*"] });
const proposed: Proposal = {
  ...{ id: ID, tenant: "t", request: "", digest: Buffer.alloc(32), method: "m", message: {}, reason: "", rows },
  ...{ revision: "2", by: person("ada"), proven: undefined, proposedAtMs: 1, expiresAtMs: 2, state: "proposed" },
  ...{ approvals: [], ended: undefined, people: 2 },
};
const proposals = () => {
  const store = { proposal: async () => proposed, rowsNow: async () => rows };
  const callers = async () => [person("ada"), person("bob")];
  return createProposals({
    ...{ store, change: async () => applied, identities: { callers, trust: async () => ({ issuers: [] }) } },
    ...{ snapshots: { current: async () => ({ revisions }) }, clock: { now: () => NOW }, newId: () => ID },
    self: owner,
  } as never);
};
const deleting = (by: never, change: MakeChange) => change(by, { kind: "tools_deleted", names: ["tool-1"] });

const proposing: Case = {
  name: `changes: proposing to delete ${rows.length} tools`,
  make: () => {
    const { propose } = proposals();
    const wanted = { method: "m", message: { names: rows.map(({ was }) => was?.name ?? "") }, reason: "", waitsMs: 1 };
    return prepareWith(settle, () => propose(owner, wanted, deleting as never));
  },
};

const approving: Case = {
  name: `changes: approving that ${rows.length} tools are deleted`,
  make: () => {
    const { approve } = proposals();
    const digest = `sha256:${"0".repeat(64)}`;
    return prepareWith(settle, () => approve(person("bob") as never, ID, digest, () => deleting as never));
  },
};

const believing: Case = {
  name: `changes: deleting the last of ${limits.bindingsMax} bindings, named ${limits.namesDeletedMax} times`,
  make: () => {
    const bindings = many(limits.bindingsMax, (at) => ({ name: `binding-${at}`, agents: ["*"], roles: [] }));
    const identities = { trust: async () => ({ issuers: [], bindings }) };
    const { remove } = createBelieving({ identities, change: async () => applied } as never);
    const names = many(limits.namesDeletedMax, () => `binding-${limits.bindingsMax - 1}`);
    return prepareWith(settle, () => remove(owner, "binding", names, false));
  },
};

/** Changes at the limits, from what was read to what the store is given. */
export const changes: readonly Case[] = [recording, publishing, trying, putting, proposing, approving, believing];
