import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import type { TenantRows } from "./policy-store.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";

const toolText = (number: number) => `apiVersion: remit/v1
kind: Tool
metadata: { name: tool-${number} }
spec: { risk: write, inputSchema: { type: object, properties: { a: { type: integer, maximum: ${number} } } } }
`;
const policyText = `apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { rules: [{ id: r, match: { tools: ["*"] }, effect: allow, when: input.a > 0 }] }
`;

const TOOLS = 40;
const all = Array.from({ length: TOOLS }, (_, number) => number);
const parsed = parseDocuments([{ file: "rows.yaml", text: [policyText, ...all.map(toolText)].join("---\n") }]);

/** Rows as a store reads them: every time other objects. */
function rowsOf(numbers: readonly number[]): TenantRows {
  const documents = structuredClone({
    policies: parsed.documents.policies,
    tools: numbers.flatMap((number) => parsed.documents.tools[number] ?? []),
  });
  return {
    revisions: { security: 1n, policy: BigInt(numbers.length) },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: 1, digest: "sha256:p" })),
    tools: documents.tools.map((document) => ({ document, digest: `sha256:${document.metadata.name}` })),
    ...{ agents: [], budgets: [], groups: [], revocations: [] },
  };
}

const building = { pause: async () => undefined };

test("registering tools one by one compiles each of them once", async () => {
  expect(parsed.problems).toEqual([]);
  const checks = new Set<unknown>();
  const conditions = new Set<unknown>();
  let last: Snapshot | undefined;
  for (const number of all) {
    last = await buildSnapshot("t", rowsOf(all.slice(0, number + 1)), last, building);
    for (const tool of last.compiled.tools.values()) {
      checks.add(tool.checkInput);
      conditions.add(tool.rules.groupsFor({})[0]?.others[0]);
    }
  }
  expect(last?.compiled.tools.size).toBe(TOOLS);
  expect(checks.size).toBe(TOOLS);
  expect(conditions.size).toBe(1);
});

test("a document that is registered anew takes the place of the one that was compiled", async () => {
  const first = await buildSnapshot("t", rowsOf([1, 2]), undefined, building);
  const rows = rowsOf([1, 2]);
  const moved = { ...rows, tools: rows.tools.map((row, at) => (at === 0 ? { ...row, digest: "sha256:new" } : row)) };
  const next = await buildSnapshot("t", moved, first, building);
  expect(next.compiled.tools.get("tool-1")).not.toBe(first.compiled.tools.get("tool-1"));
  expect(next.compiled.tools.get("tool-2")).toBe(first.compiled.tools.get("tool-2"));
  expect(next.policyDigest).not.toBe(first.policyDigest);
  expect((await buildSnapshot("t", rowsOf([2, 1]), next, building)).policyDigest).toBe(first.policyDigest);
});

test("a group that is the same is the very same in the next snapshot, whatever else has changed", async () => {
  const groupsOf = (...digests: readonly string[]) =>
    digests.map((digest, at) => ({
      document: {
        ...({ apiVersion: "remit/v1", kind: "Group", metadata: { name: `g${at}` } } as const),
        spec: { members: ["mia"], ceiling: { tools: [digest] } },
      },
      digest,
    }));
  const first = await buildSnapshot("t", { ...rowsOf([1]), groups: groupsOf("a", "b") }, undefined, building);
  const next = await buildSnapshot("t", { ...rowsOf([1, 2]), groups: groupsOf("a", "c", "d") }, first, building);
  const [before, after] = [first, next].map(({ ceilings }) => ceilings.get("mia") ?? []);
  expect(after).toEqual([{ tools: ["a"] }, { tools: ["c"] }, { tools: ["d"] }]);
  expect(after?.[0]).toBe(before?.[0]);
  expect([...next.groups.keys()]).toEqual(["g0", "g1", "g2"]);
  const less = await buildSnapshot("t", { ...rowsOf([1]), groups: groupsOf("a").slice(1) }, next, building);
  expect(less.groups.size + less.ceilings.size).toBe(0);
});
